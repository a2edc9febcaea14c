"""System checks of database settings that work but look wrong."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004
from django.db import DEFAULT_DB_ALIAS

DATABASE_URL = "todo_project.W007"
# On the same machine, the account's name is often meant.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# With these values of target_session_attrs, libpq may choose a server that cannot be written.
READERS = ("read-only", "standby", "prefer-standby")


@register(Tags.security)
def check_database_url(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Report a database URL that is valid, but hardly what was meant."""
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    options = database["OPTIONS"]
    if database["ENGINE"] != "todo_project.postgresql":
        return []
    messages: list[CheckMessage] = []
    host = database["HOST"] or options.get("host", "")
    is_local = host.startswith("/") or host in LOCAL_HOSTS
    if not (database["USER"] or is_local or os.environ.get("PGUSER")):
        messages.append(
            Warning(
                "The database URL names no user.",
                hint="PostgreSQL gets the name of the account that runs this process. Use the form"
                " postgresql://USER@HOST/DATABASE, with the password after USER and a colon.",
                id=DATABASE_URL,
            )
        )
    if options.get("target_session_attrs") in READERS:
        messages.append(
            Warning(
                "The database URL selects a server that may refuse every write.",
                hint="Remove target_session_attrs, or set it to read-write.",
                id=DATABASE_URL,
            )
        )
    return messages
