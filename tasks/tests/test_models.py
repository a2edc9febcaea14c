"""What the database itself holds to, whoever writes to it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from authn.tokens import MAX_USER_ID_LENGTH
from tasks.models import (
    DESCRIPTION_MAX_LENGTH,
    TITLE_MAX_LENGTH,
    USER_ID_MAX_LENGTH,
    Task,
)
from tasks.tests.factories import TaskFactory, rows

MOMENT = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)
ROW: dict[str, Any] = {
    "user_id": "alice",
    "title": "Buy milk",
    "description": None,
    "completed": False,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}


def insert(**values: Any) -> None:
    """Insert a row past the model, as another program does."""
    row = ROW | values
    places = ", ".join(["%s"] * len(row))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO task ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - names of ours
            list(row.values()),
        )


@pytest.mark.django_db
def test_the_table_has_the_plans_columns() -> None:
    """The table must be the one that the plan's back end has made."""
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, "task")

    assert {column.name: column.null_ok for column in columns} == {
        "id": False,
        "user_id": False,
        "title": False,
        "description": True,
        "completed": False,
        "created_at": False,
        "updated_at": False,
    }


@pytest.mark.django_db
def test_the_columns_have_the_types_of_the_fields() -> None:
    """An id must have 64 bits and a moment its time zone (FR-009, FR-010)."""
    types = {field.column: field.db_type(connection) for field in Task._meta.concrete_fields}
    expected = {
        "postgresql": ["bigint", "varchar(255)", "varchar(200)", "varchar(1000)", "boolean"]
        + ["timestamp with time zone"] * 2,
        "sqlite": ["integer", "varchar(255)", "varchar(200)", "varchar(1000)", "bool"]
        + ["datetime"] * 2,
    }

    assert list(types.values()) == expected[connection.vendor]
    assert stored_types() == expected[connection.vendor]


def stored_types() -> list[str]:
    """Ask the database itself for the types of the columns."""
    catalogue = {
        "postgresql": "SELECT replace(format_type(atttypid, atttypmod), 'character varying',"
        " 'varchar') FROM pg_attribute WHERE attrelid = 'task'::regclass AND attnum > 0"
        " ORDER BY attnum",
        "sqlite": "SELECT lower(type) FROM pragma_table_info('task') ORDER BY cid",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.django_db
def test_an_id_has_64_bits() -> None:
    """The largest id of 64 bits must fit, on both databases (FR-009)."""
    insert(id=2**63 - 1)

    assert Task.objects.get().id == 2**63 - 1


@pytest.mark.django_db
def test_there_is_an_index_for_the_list() -> None:
    """A user's tasks by id must be read from an index (FR-018)."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "task")

    assert constraints["ix_task_user_id_id"]["index"]
    assert constraints["ix_task_user_id_id"]["columns"] == ["user_id", "id"]


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["user_id", "title", "completed", "created_at", "updated_at"])
def test_the_database_refuses_null(column: str) -> None:
    """NOT NULL must hold in the database, whoever writes."""
    with pytest.raises(IntegrityError):
        insert(**{column: None})

    assert rows() == []


@pytest.mark.django_db
def test_the_database_keeps_a_description_of_null() -> None:
    """A description must be the one column that may be NULL."""
    insert(description=None)

    assert Task.objects.get().description is None


LENGTHS = [
    ("user_id", USER_ID_MAX_LENGTH),
    ("title", TITLE_MAX_LENGTH),
    ("description", DESCRIPTION_MAX_LENGTH),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("column", "length"), LENGTHS)
@pytest.mark.parametrize("letter", ["x", "\N{PILE OF POO}"], ids=ascii)
def test_the_database_refuses_a_text_that_is_too_long(
    column: str, length: int, letter: str
) -> None:
    """The lengths must hold in the database, whoever writes (FR-007, FR-008)."""
    with pytest.raises(DatabaseError):
        insert(**{column: letter * (length + 1)})

    assert rows() == []


@pytest.mark.django_db
@pytest.mark.parametrize(("column", "length"), LENGTHS)
@pytest.mark.parametrize("letter", ["x", "\N{PILE OF POO}"], ids=ascii)
def test_the_database_takes_the_longest_text(column: str, length: int, letter: str) -> None:
    """The lengths must be counted in characters, not in bytes (FR-007, FR-008)."""
    insert(**{column: letter * length})

    assert Task.objects.values_list(column, flat=True).get() == letter * length


@pytest.mark.django_db
def test_the_database_takes_a_blank_title() -> None:
    """Old rows with a blank title must stay: only clients are refused one."""
    insert(title="")

    assert Task.objects.get().title == ""


def test_the_lengths_are_those_of_the_contract() -> None:
    """A text must have the room that the contract gives it (contract.md "A task")."""
    assert [length for _, length in LENGTHS] == [255, 200, 1000]


def test_every_user_of_a_token_fits_into_the_column() -> None:
    """The longest id that a token may name must be one that can be stored."""
    assert USER_ID_MAX_LENGTH == MAX_USER_ID_LENGTH


def test_a_task_is_called_by_its_title() -> None:
    """A task must show in lists for people as what it is."""
    assert str(TaskFactory.build(title="Buy milk")) == "Buy milk"


@pytest.fixture
def _no_table(transactional_db: None) -> Iterator[None]:
    """Take the migrations back, and put them in place again at the end."""
    call_command("migrate", "tasks", "zero", verbosity=0)
    yield
    call_command("migrate", "tasks", verbosity=0)


@pytest.mark.usefixtures("_no_table")
def test_the_migration_can_be_taken_back() -> None:
    """Going back must leave nothing of the table."""
    assert "task" not in connection.introspection.table_names()


@pytest.mark.usefixtures("_no_table")
def test_the_first_task_of_a_fresh_database_has_the_id_1001() -> None:
    """The ids of the front end's demo cards must stay free (contract.md "What goes beyond …")."""
    call_command("migrate", "tasks", verbosity=0)

    assert [TaskFactory.create().id for _ in range(2)] == [1001, 1002]


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_say() -> None:
    """A change of a model must come with its migration."""
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
