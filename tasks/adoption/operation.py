"""The migration operation that creates the task table or adopts the FastAPI back end's.

Source: docs/decisions/0018-adopting-the-old-table.md.
"""

import logging
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, migrations, models, transaction
from django.db.migrations.state import ProjectState
from psycopg.errors import LockNotAvailable

from tasks.adoption.table import OldTable, find_table, refusal

FIRST_ID = 1001  # the front end's demo cards call the API with the ids 1 to 3
# While the migration waits for its lock, all other queries on the table wait behind it.
LOCK_TIMEOUT_SECONDS = 3
# Session time zones in which PostgreSQL reads a naive timestamp as UTC, as the old back end does
UTC = ("UTC", "Etc/UTC", "GMT")
# Replacements for NULL in columns that are NOT NULL here. A missing user_id stays NULL: the task
# belongs to no user, so no user sees it.
INSTEAD_OF_NULL = {
    "title": "''",
    "completed": "false",
    "created_at": "coalesce(updated_at, now())",
    "updated_at": "coalesce(created_at, now())",
}

logger = logging.getLogger(__name__)


class CreateOrAdoptTask(migrations.CreateModel):
    """Create the table, with ids from 1001 on, or adopt the existing one.

    An adopted table keeps its rows, its indexes, its additional columns and the type of its id. It
    gets no ``CHECK`` constraints: even a ``NOT VALID`` one would reject updates of old rows that
    violate it. A later migration that drops such a constraint must use ``IF EXISTS``.

    The migration must not be atomic, because ``CREATE INDEX CONCURRENTLY`` cannot run in a
    transaction. Running ``migrate`` again completes an interrupted migration.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create or adopt the table.

        Raises:
            CommandError: the existing relation cannot be adopted or is locked, or the database
                rejects a change. Nothing was changed.
        """
        connection = schema_editor.connection
        if reason := refusal(connection):
            raise CommandError(reason)
        if connection.vendor == "postgresql" and (table := find_table(connection)):
            _adopt(schema_editor, table)
            _add_index(schema_editor, to_state.apps.get_model(app_label, self.name))
            _count_clamped_times(schema_editor)
            return
        with transaction.atomic(connection.alias):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            for statement in schema_editor.deferred_sql:  # the index
                schema_editor.execute(statement, params=None)
            schema_editor.deferred_sql.clear()
            if connection.vendor == "postgresql":
                schema_editor.execute(f"ALTER TABLE task ALTER COLUMN id RESTART WITH {FIRST_ID}")
            else:
                schema_editor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ('task', %s)", [FIRST_ID - 1]
                )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the table if this migration created it; if it was adopted, drop only the index."""
        model = from_state.apps.get_model(app_label, self.name)
        if schema_editor.connection.vendor == "postgresql" and _is_adopted(schema_editor, model):
            schema_editor.remove_index(model, model._meta.indexes[0], concurrently=True)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def _adopt(editor: Any, table: OldTable) -> None:
    """Convert types, replace NULLs and move the sequence in one transaction, under one lock."""
    try:
        with transaction.atomic(editor.connection.alias):
            editor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            # Take the strongest lock first. Upgrading a weaker one would deadlock with any
            # transaction of the old back end that reads a task and then writes it.
            editor.execute("LOCK TABLE task IN ACCESS EXCLUSIVE MODE")
            _convert_times(editor, table)
            _fit_columns(editor, table)
            _move_sequence(editor, table)
    except DatabaseError as error:
        reason = str(error).strip()
        if isinstance(error.__cause__, LockNotAvailable):
            reason = (
                f"a transaction has been using it for more than {LOCK_TIMEOUT_SECONDS} seconds."
                " End that transaction (see pg_stat_activity) or wait, and run migrate again"
            )
        raise CommandError(
            f"Cannot adopt the table {table.name}; nothing was changed: {reason}"
        ) from error


def _convert_times(editor: Any, table: OldTable) -> None:
    """Convert naive UTC timestamps to ``timestamptz``.

    In a session whose time zone is UTC, PostgreSQL does not rewrite the rows.
    """
    with editor.connection.cursor() as cursor:
        cursor.execute("SHOW TIME ZONE")
        (zone,) = cursor.fetchone()
    editor.execute("SET LOCAL TIME ZONE 'UTC'")
    times = {name: table.columns[name] for name in ("created_at", "updated_at")}
    # including timestamptz(3): updated_at needs microseconds
    other = [name for name in times if times[name].exact_type != "timestamp with time zone"]
    _alter(editor, *(f"{name} TYPE timestamptz" for name in other))
    naive = [name for name in times if times[name].base_type == "timestamp without time zone"]
    # the result of now() AT TIME ZONE 'utc' would be read in the session's time zone
    _alter(editor, *(f"{name} SET DEFAULT now()" for name in naive if times[name].has_default))
    if naive and zone not in UTC:
        logger.warning(
            "PostgreSQL interprets naive timestamps in the time zone %s: tasks that the old back"
            " end writes from now on will have the wrong time. See docs/adoption.md.",
            zone,
        )


def _fit_columns(editor: Any, table: OldTable) -> None:
    """Widen the text columns, replace NULLs except in ``user_id``, and adjust ``NOT NULL``."""
    columns = table.columns
    for name, room in {"user_id": 255, "title": 200, "description": 1000}.items():
        if (columns[name].length or room) < room:
            _alter(editor, f"{name} TYPE varchar({room})")
    if not columns["description"].is_nullable:
        _alter(editor, "description DROP NOT NULL")
    nullable = [name for name in INSTEAD_OF_NULL if columns[name].is_nullable]
    if nullable:
        filled = ", ".join(
            f"{name} = coalesce({name}, {INSTEAD_OF_NULL[name]})" for name in nullable
        )
        empty = " OR ".join(f"{name} IS NULL" for name in nullable)
        editor.execute(f"UPDATE task SET {filled} WHERE {empty}")  # noqa: S608 - constant names
        _alter(editor, *(f"{name} SET NOT NULL" for name in nullable))


def _move_sequence(editor: Any, table: OldTable) -> None:
    """Move the sequence past the largest id, or to 1001 if no id was ever assigned."""
    sequence = table.columns["id"].sequence
    with editor.connection.cursor() as cursor:
        cursor.execute(
            f"SELECT last_value, is_called, (SELECT max(id) FROM task) FROM {sequence}"  # noqa: S608 - quoted by the server
        )
        last, is_called, largest = cursor.fetchone()
    if largest is None and not is_called:
        editor.execute("SELECT setval(%s, %s, false)", [sequence, max(last, FIRST_ID)])
    elif largest is not None and largest >= last:
        editor.execute("SELECT setval(%s, %s)", [sequence, largest])


def _add_index(editor: Any, model: type[models.Model]) -> None:
    """Create the index without blocking reads and writes."""
    index = model._meta.indexes[0]
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indrelid = to_regclass('task') AND relname = %s",
            [index.name],
        )
        found = cursor.fetchone()
    if found == (False,):  # left over from an interrupted build
        editor.remove_index(model, index, concurrently=True)
    if found != (True,):
        editor.add_index(model, index, concurrently=True)


def _count_clamped_times(editor: Any) -> None:
    """Log the number of tasks with a time that the API cannot show."""
    is_beyond = " OR ".join(
        f"{name} < '0001-01-01 00:00:00+00' OR {name} > '9999-12-31 23:59:59.999999+00'"
        for name in ("created_at", "updated_at")
    )
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM task WHERE {is_beyond}")  # noqa: S608 - constants
        (count,) = cursor.fetchone()
    if count:
        logger.warning(
            "%d %s before the year 1 or after 9999, or infinite; the API shows the nearest time"
            " that it can. See docs/adoption.md.",
            count,
            "task has a time" if count == 1 else "tasks have a time",
        )


def _is_adopted(editor: Any, model: type[models.Model]) -> bool:
    """Return whether the table lacks the ``CHECK`` constraint that only a new table gets."""
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_constraint WHERE conrelid = to_regclass('task') AND conname = %s",
            [model._meta.constraints[0].name],
        )
        return cursor.fetchone() is None


def _alter(editor: Any, *changes: str) -> None:
    """Change columns in one statement, so that PostgreSQL scans the table once."""
    if changes:
        actions = ", ".join(f"ALTER COLUMN {change}" for change in changes)
        editor.execute(f"ALTER TABLE task {actions}")
