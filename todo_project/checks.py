"""System checks that recommend settings for a deployment."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register  # noqa: A004
from django.db import DEFAULT_DB_ALIAS

DERIVED_SECRET_KEY = "todo_project.I001"  # noqa: S105 - the id of a check
ANY_HOST = "todo_project.I002"
NO_ORIGIN = "todo_project.W003"
NOT_PREPARED = "todo_project.W004"


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report settings that a deployment should not leave at their defaults."""
    messages: list[CheckMessage] = []
    if settings.SECRET_KEY_IS_DERIVED:
        messages.append(
            Info(
                "DJANGO_SECRET_KEY is not set; it is derived from the first Better Auth secret.",
                hint="Set it, so that a new Better Auth secret does not sign staff out.",
                id=DERIVED_SECRET_KEY,
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        messages.append(
            Info(
                "ALLOWED_HOSTS allows every host name.",
                hint="Set it to the host names of this service, separated by commas.",
                id=ANY_HOST,
            )
        )
    if not settings.CORS_ORIGINS:
        messages.append(
            Warning(
                "No origin may call the API from a browser.",
                hint="Set BETTER_AUTH_URL to the URL of the front end.",
                id=NO_ORIGIN,
            )
        )
    if settings.DATABASE_PREPARED and "prepare_threshold" not in _database_options():
        messages.append(
            Warning(
                "DATABASE_PREPARED has no effect with SQLite or behind Neon's pooler.",
                hint="Remove it, or set NEON_DATABASE_URL to the direct host.",
                id=NOT_PREPARED,
            )
        )
    return messages


def _database_options() -> Mapping[str, Any]:
    options: Mapping[str, Any] = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"]
    return options
