"""System checks of the environment, and checks that recommend settings for a deployment."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register  # noqa: A004
from django.db import DEFAULT_DB_ALIAS

from todo_project.configuration.environment import env
from todo_project.configuration.look_alikes import explanation, look_alikes

DERIVED_SECRET_KEY = "todo_project.I001"  # noqa: S105 - the id of a check
ANY_HOST = "todo_project.I002"
NO_ORIGIN = "todo_project.W003"
NOT_PREPARED = "todo_project.W004"
LOOK_ALIKE = "todo_project.W005"
ENV_FILE = "todo_project.W006"


@register(Tags.security)
def check_look_alikes(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Name the variables that were probably meant for this service, which does not read them.

    The server logs them when it starts (``status/startup.py``).
    """
    return [
        Warning(
            explanation(name, right),
            hint=f"Set {right}, unless the variable is for another program.",
            id=LOOK_ALIKE,
        )
        for name, right in look_alikes(env.variables()).items()
    ]


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


@register(Tags.security)
def check_env_file(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what is ignored in ``.env``."""
    hint = "Correct .env, or remove it if the environment has every variable."
    return [Warning(warning, hint=hint, id=ENV_FILE) for warning in env.file.warnings]


def _database_options() -> Mapping[str, Any]:
    options: Mapping[str, Any] = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"]
    return options
