"""Are the migrations applied?"""

from functools import cache

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def missing_migrations(connection: BaseDatabaseWrapper) -> int:
    """Count the migrations that the database does not have. It may have some that we do not know.

    Raises:
        DatabaseError: the database does not answer.
    """
    return len(_known_migrations() - MigrationRecorder(connection).applied_migrations().keys())


@cache  # the files do not change while we run, and reading them takes longer than to ask
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)
