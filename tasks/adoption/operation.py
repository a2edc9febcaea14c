"""Making the task table, or taking over the one that the plan's FastAPI back end has made.

Source: issue "Nothing lost, nothing twice", take-over.
"""

import logging
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, migrations, models, transaction
from django.db.migrations.state import ProjectState
from psycopg.errors import LockNotAvailable

from tasks.adoption.table import OldTable, find_table, refusal

FIRST_ID = 1001  # the front end's demo cards call the API with the ids 1 to 3
# How long everybody else waits at most behind a migration that waits for a long transaction
LOCK_TIMEOUT_SECONDS = 3
# The names of zones in which a time without a zone means what the old back end means by it
UTC = ("UTC", "Etc/UTC", "GMT")
# What stands for NULL in columns that this back end never leaves empty. Of a user_id there is
# nothing to guess; a task without one belongs to nobody, and nobody sees it.
INSTEAD_OF_NULL = {
    "title": "''",
    "completed": "false",
    "created_at": "coalesce(updated_at, now())",
    "updated_at": "coalesce(created_at, now())",
}

logger = logging.getLogger(__name__)


class CreateOrAdoptTask(migrations.CreateModel):
    """Make the table, with ids from 1001 on, or adopt the one that is there.

    An adopted table keeps its rows, the type of its id, its indexes and its columns of other
    names. It gets no ``CHECK``: even one that is ``NOT VALID`` would refuse to change an old row
    that breaks it. A later migration that takes one away has to say ``IF EXISTS``.

    For a migration that is not atomic: the index is built without holding up anybody's writes,
    which a transaction cannot do. Whatever is interrupted is finished by the next ``migrate``.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create or adopt.

        Raises:
            CommandError: there is something else of that name, or it is in use, or the database
                refuses a change. Nothing was changed then.
        """
        connection = schema_editor.connection
        if reason := refusal(connection):
            raise CommandError(reason)
        if connection.vendor == "postgresql" and (table := find_table(connection)):
            _adopt(schema_editor, table)
            _add_index(schema_editor, to_state.apps.get_model(app_label, self.name))
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
        """Drop the table that was made here; give an adopted one back with all its rows."""
        model = from_state.apps.get_model(app_label, self.name)
        if schema_editor.connection.vendor == "postgresql" and _is_adopted(schema_editor, model):
            schema_editor.remove_index(model, model._meta.indexes[0], concurrently=True)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def _adopt(editor: Any, table: OldTable) -> None:
    """Bring types, NULLs and the sequence in line, all or nothing, under one short lock."""
    try:
        with transaction.atomic(editor.connection.alias):
            editor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            # The strongest lock first. To a weaker one that has to grow later, each transaction
            # of the old back end that has read a task and is about to write it is a deadlock.
            editor.execute("LOCK TABLE task IN ACCESS EXCLUSIVE MODE")
            _convert_times(editor, table)
            _fit_columns(editor, table)
            _move_sequence(editor, table)
    except DatabaseError as error:
        reason = str(error).strip()
        if isinstance(error.__cause__, LockNotAvailable):
            reason = (
                f"a transaction has been using it for more than {LOCK_TIMEOUT_SECONDS} seconds."
                " End that one (pg_stat_activity shows it), or wait, and run migrate again"
            )
        raise CommandError(
            f"The table {table.name} cannot be taken over, and nothing was changed: {reason}"
        ) from error


def _convert_times(editor: Any, table: OldTable) -> None:
    """Turn times without a zone, which are in UTC, into moments.

    In a session whose zone is UTC the bytes of both are the same, and PostgreSQL rewrites no row.
    """
    with editor.connection.cursor() as cursor:
        cursor.execute("SHOW TIME ZONE")
        (zone,) = cursor.fetchone()
    editor.execute("SET LOCAL TIME ZONE 'UTC'")
    times = {name: table.columns[name] for name in ("created_at", "updated_at")}
    # a timestamptz(3) too: updated_at moves by microseconds
    other = [name for name in times if times[name].exact_type != "timestamp with time zone"]
    _alter(editor, *(f"{name} TYPE timestamptz" for name in other))
    naive = [name for name in times if times[name].base_type == "timestamp without time zone"]
    # now() AT TIME ZONE 'utc' would be read in the zone of whoever inserts
    _alter(editor, *(f"{name} SET DEFAULT now()" for name in naive if times[name].has_default))
    if naive and zone not in UTC:
        logger.warning(
            "PostgreSQL reads times without a zone in %s here: what the old back end writes to task"
            " from now on has the wrong time. See README.md, Taking over the FastAPI back end's"
            " database.",
            zone,
        )


def _fit_columns(editor: Any, table: OldTable) -> None:
    """Make room for what this back end stores, and leave no NULL where it expects none."""
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
        editor.execute(f"UPDATE task SET {filled} WHERE {empty}")  # noqa: S608 - names of ours
        _alter(editor, *(f"{name} SET NOT NULL" for name in nullable))


def _move_sequence(editor: Any, table: OldTable) -> None:
    """Let ids go on after the largest, and begin at 1001 where there never was one."""
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
    """Build the list's index beside everybody's reads and writes."""
    index = model._meta.indexes[0]
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indrelid = to_regclass('task') AND relname = %s",
            [index.name],
        )
        found = cursor.fetchone()
    if found == (False,):  # what is left of a build that was interrupted
        editor.remove_index(model, index, concurrently=True)
    if found != (True,):
        editor.add_index(model, index, concurrently=True)


def _is_adopted(editor: Any, model: type[models.Model]) -> bool:
    """Tell whether the table lacks the ``CHECK`` that one made here has."""
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_constraint WHERE conrelid = to_regclass('task') AND conname = %s",
            [model._meta.constraints[0].name],
        )
        return cursor.fetchone() is None


def _alter(editor: Any, *changes: str) -> None:
    """Change columns, all in one statement, so that what has to be read is read once."""
    if changes:
        actions = ", ".join(f"ALTER COLUMN {change}" for change in changes)
        editor.execute(f"ALTER TABLE task {actions}")
