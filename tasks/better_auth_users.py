"""Reads Better Auth's user table, if it is in the same database as the tasks.

The table ``"user"`` on the search path is Better Auth's if it has the columns ``id``, ``email`` and
``emailVerified``. The FastAPI back end's table of the same name has no ``emailVerified``. Only
``id``, ``email`` and ``name`` are read. The columns are looked up every time, because Better Auth's
migrations can create or drop the table while this process runs.

In PostgreSQL, an unquoted ``user`` is the current role, so the name is always quoted. Better Auth's
ids can be text, uuid or integer, so they are compared as text.

Source: Better Auth, "Database", core schema.
"""

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

# The queries for the table's column names, and whether this role may read each column
COLUMNS = {
    "postgresql": "SELECT attname, has_column_privilege(attrelid, attnum, 'SELECT')"
    " FROM pg_attribute"
    " WHERE attrelid = to_regclass('\"user\"') AND attnum > 0 AND NOT attisdropped",
    "sqlite": "SELECT name, true FROM pragma_table_info('user')",
}

# A placeholder for the optional column ``name``
NAME = "{name}"


@dataclass(frozen=True)
class Owner:
    """An owner as shown to staff.

    Args:
        email: the e-mail address; empty if unknown.
        name: the name; empty if unknown.
    """

    email: str
    name: str


UNKNOWN_OWNER = Owner("", "")


def table_exists() -> bool:
    """Return whether Better Auth's table exists and is readable."""
    return _is_better_auths(_columns())


def is_empty() -> bool:
    """Return whether the table has no rows, is missing or is unreadable."""
    return not _read('SELECT 1 FROM "user" LIMIT 1')


def owners(user_ids: Collection[str]) -> dict[str, Owner]:
    """Return the users with these ids, by id; unknown ids are omitted."""
    if not user_ids:
        return {}
    placeholders = ", ".join(["%s"] * len(user_ids))
    found = _read(
        f'SELECT CAST(id AS text), email, {NAME} FROM "user"'  # noqa: S608 - placeholders only
        f" WHERE CAST(id AS text) IN ({placeholders})",
        list(user_ids),
    )
    return {user_id: Owner(email or "", name or "") for user_id, email, name in found}


def user_ids_matching(text: str, limit: int) -> list[str]:
    """Return the ids of users whose e-mail address or name contains a text.

    The text is matched literally and case-insensitively.

    Args:
        text: the text, not empty.
        limit: the maximum number of users to return.
    """
    pattern = f"%{connection.ops.prep_for_like_query(text)}%"
    found = _read(
        'SELECT CAST(id AS text) FROM "user"'  # noqa: S608 - a column name only
        " WHERE lower(email) LIKE lower(%s) ESCAPE '\\'"
        f" OR lower({NAME}) LIKE lower(%s) ESCAPE '\\' LIMIT %s",
        [pattern, pattern, limit],
    )
    return [user_id for (user_id,) in found]


def owner_is_missing() -> RawSQL:
    """Return a condition for ``Task.objects.filter()``: the owner is not in the table.

    Use it only if ``table_exists()``: without the table, the query fails.
    """
    return RawSQL(
        'NOT EXISTS (SELECT 1 FROM "user" WHERE CAST("user".id AS text) = task.user_id)',
        (),
        output_field=BooleanField(),
    )


def _columns() -> dict[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS[connection.vendor])
        return dict(cursor.fetchall())


def _is_better_auths(columns: dict[str, bool]) -> bool:
    return "emailVerified" in columns and all(columns.get(name) for name in ("id", "email"))


def _read(statement: str, parameters: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, or none if Better Auth's table is missing or unreadable.

    Args:
        statement: SQL, with ``NAME`` in place of the column ``name``.
        parameters: the parameters of the statement.
    """
    columns = _columns()
    if not _is_better_auths(columns):
        return []
    statement = statement.replace(NAME, '"name"' if columns.get("name") else "''")
    # A failed statement must not abort the surrounding transaction.
    savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with savepoint, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    except DatabaseError:
        if table_exists():
            raise
        return []
