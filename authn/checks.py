"""What looks wrong in the authentication's settings, and does not have to stop the start."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name

from authn.secrets import MEND, is_published

PUBLISHED_SECRET = "authn.W001"  # noqa: S105 - the id of a check
LEFT_OVER_SECRET = "authn.W002"  # noqa: S105


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
            "A secret in BETTER_AUTH_SECRET or BETTER_AUTH_SECRETS stands in public documents:"
            " anybody can sign a token with it.",
            hint=MEND,
            id=PUBLISHED_SECRET,
        )
    ]


@register(Tags.security)
def check_left_over_secret(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of an old secret that a rotation has left behind, and that is still accepted.

    Source: issue "Real Better Auth", rotation.
    """
    if not settings.BETTER_AUTH["SECRET_IS_LEFT_OVER"]:
        return []
    return [
        Warning(
            "BETTER_AUTH_SECRET is accepted beside BETTER_AUTH_SECRETS, which does not have it.",
            hint="Take BETTER_AUTH_SECRET away once no token signed with it is in use any more.",
            id=LEFT_OVER_SECRET,
        )
    ]
