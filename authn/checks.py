"""What looks wrong in the authentication's settings, and does not have to stop the start."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name

from authn.secrets import MEND, is_published

PUBLISHED_SECRET = "authn.W001"  # noqa: S105 - the id of a check


@register(Tags.security)
def check_published_secrets(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of a secret that stands in a public document.

    Source: issue "The API, end to end", settings; FR-017 (the message does not show the value).
    """
    if not any(is_published(secret) for secret in settings.BETTER_AUTH["SECRETS"]):
        return []
    return [
        Warning(
            "A Better Auth secret stands in public documents: anybody can sign a token with it.",
            hint=MEND,
            id=PUBLISHED_SECRET,
        )
    ]
