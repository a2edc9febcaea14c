"""A system check that stops ``migrate`` if the ``task`` table cannot be adopted."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from tasks.adoption.table import refusal

INCOMPATIBLE_TABLE = "tasks.E001"


@register(Tags.database)
def check_incompatible_table(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report a ``task`` table that cannot be adopted.

    ``migrate`` runs database checks first, so it stops before it creates Django's own tables.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        applied = MigrationRecorder(connections[alias]).applied_migrations()
        if ("tasks", "0001_initial") not in applied and (reason := refusal(connections[alias])):
            messages.append(Error(reason, id=INCOMPATIBLE_TABLE))
    return messages
