"""Unapplied migrations."""

from functools import cache

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def missing_migrations(connection: BaseDatabaseWrapper) -> int:
    """Count the unapplied migrations; ignore applied ones from a newer release.

    Raises:
        DatabaseError, InterfaceError: the database does not answer.
    """
    return len(_known_migrations() - MigrationRecorder(connection).applied_migrations().keys())


@cache  # the files do not change at run time, and loading them is slower than the query
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)
