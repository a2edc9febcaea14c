"""System checks for secrets that are accepted but should be replaced or removed."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name

from authn.secrets import (
    HOW_TO_FIX,
    MIN_CHARACTERS,
    READ_DIFFERENTLY,
    is_ambiguous,
    is_published,
)

PUBLISHED_SECRET = "authn.W001"  # noqa: S105 - the id of a check
LEFT_OVER_SECRET = "authn.W002"  # noqa: S105
AMBIGUOUS_SECRET = "authn.W003"  # noqa: S105
MONOTONOUS_SECRET = "authn.W004"  # noqa: S105


@register(Tags.security)
def check_secrets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn about published, left-over and guessable secrets, and where .env readers differ.

    Source: docs/contract.md, "Authentication"; FR-017 (the messages do not show a secret).
    """
    messages: list[CheckMessage] = []
    secrets = settings.BETTER_AUTH["SECRETS"]
    if any(is_published(secret) for secret in secrets):
        messages.append(
            Warning(
                "BETTER_AUTH_SECRET or BETTER_AUTH_SECRETS contains a secret from public"
                " documentation: anyone can sign a token with it.",
                hint=HOW_TO_FIX,
                id=PUBLISHED_SECRET,
            )
        )
    if settings.BETTER_AUTH["SECRET_IS_LEFT_OVER"]:
        messages.append(
            Warning(
                "BETTER_AUTH_SECRET is accepted beside BETTER_AUTH_SECRETS, which does not"
                " contain it.",
                hint="Remove BETTER_AUTH_SECRET once all tokens signed with it have expired.",
                id=LEFT_OVER_SECRET,
            )
        )
    if any(is_ambiguous(secret) for secret in secrets):
        messages.append(Warning(READ_DIFFERENTLY, hint=HOW_TO_FIX, id=AMBIGUOUS_SECRET))
    if any(len(set(secret)) < MIN_CHARACTERS for secret in secrets):
        messages.append(
            Warning(
                "BETTER_AUTH_SECRET or BETTER_AUTH_SECRETS contains a secret with fewer than"
                f" {MIN_CHARACTERS} different characters: anyone may guess it.",
                hint=HOW_TO_FIX,
                id=MONOTONOUS_SECRET,
            )
        )
    return messages
