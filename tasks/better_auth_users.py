"""Better Auth's table of users, where it is in the same database as the tasks.

The table ``"user"`` that the current search path finds is Better Auth's if it has the columns
``id``, ``email`` and ``emailVerified``; one of the same name with other columns, such as the old
back end's, is not. Only ``id``, ``email`` and ``name`` are ever read. It is looked for anew each
time, because it comes and goes with migrations that are not ours.

Without its quotes ``user`` is no table in PostgreSQL but the role's name. Ids may be text, uuid or
integer there, so they are compared as text.

Source: issue "Staff and operators"; Better Auth's core schema.
"""

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

# column: whether this role may read it
COLUMNS = {
    "postgresql": "SELECT attname, has_column_privilege(attrelid, attnum, 'SELECT')"
    " FROM pg_attribute"
    " WHERE attrelid = to_regclass('\"user\"') AND attnum > 0 AND NOT attisdropped",
    "sqlite": "SELECT name, true FROM pragma_table_info('user')",
}

# Stands for the column, which a table may lack.
NAME = "{name}"


@dataclass(frozen=True)
class Owner:
    """Who somebody is to a person who reads a list.

    Args:
        email: the address.
        name: empty where the table has none.
    """

    email: str
    name: str


# Whom the table does not know
NOBODY = Owner("", "")


def table_exists() -> bool:
    """Tell whether Better Auth's table is there and may be read."""
    return _is_better_auths(_columns())


def is_empty() -> bool:
    """Tell whether nobody is in the table, which is also so where there is none."""
    return not _read('SELECT 1 FROM "user" LIMIT 1')


def owners(user_ids: Collection[str]) -> dict[str, Owner]:
    """Look several users up, in one statement; who is not in the table is left out."""
    if not user_ids:
        return {}
    places = ", ".join(["%s"] * len(user_ids))
    found = _read(
        f'SELECT CAST(id AS text), email, {NAME} FROM "user"'  # noqa: S608 - places only
        f" WHERE CAST(id AS text) IN ({places})",
        list(user_ids),
    )
    return {user_id: Owner(email or "", name or "") for user_id, email, name in found}


def user_ids_matching(text: str, limit: int) -> list[str]:
    """Find users by a part of their e-mail address or name, taken literally and in any case.

    Args:
        text: the part, not empty.
        limit: the largest number of users to return.
    """
    pattern = f"%{connection.ops.prep_for_like_query(text)}%"
    found = _read(
        'SELECT CAST(id AS text) FROM "user"'  # noqa: S608 - a column's name only
        " WHERE lower(email) LIKE lower(%s) ESCAPE '\\'"
        f" OR lower({NAME}) LIKE lower(%s) ESCAPE '\\' LIMIT %s",
        [pattern, pattern, limit],
    )
    return [user_id for (user_id,) in found]


def owner_is_missing() -> RawSQL:
    """Return a condition for ``Task.objects.filter()``: the owner is not in the table.

    Only where ``table_exists()``; anywhere else the database refuses it.
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
    """Return the rows of a statement; none where the table is not there, or goes meanwhile.

    Args:
        statement: with ``NAME`` where that column is read.
        parameters: its parameters.
    """
    columns = _columns()
    if not _is_better_auths(columns):
        return []
    statement = statement.replace(NAME, '"name"' if columns.get("name") else "''")
    # What fails inside a transaction must not take the transaction with it.
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
