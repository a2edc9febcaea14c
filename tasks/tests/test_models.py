"""The task table: its columns and constraints, and the migrations."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from authn.tokens import USER_ID_MAX_LENGTH
from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, Task
from tasks.tests.factories import TaskFactory, rows

TIME = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)
ROW: dict[str, Any] = {
    "user_id": "alice",
    "title": "Buy milk",
    "description": None,
    "completed": False,
    "created_at": TIME,
    "updated_at": TIME,
}


def insert(**values: Any) -> None:
    """Insert a row with SQL, as another program would."""
    row = ROW | values
    places = ", ".join(["%s"] * len(row))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO task ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - constant names
            list(row.values()),
        )


# type and nullability of each column; ids have 64 bits, times have a time zone
COLUMNS = {
    "postgresql": {
        "id": ("bigint", False),
        "user_id": ("character varying(255)", False),
        "title": ("character varying(200)", False),
        "description": ("character varying(1000)", True),
        "completed": ("boolean", False),
        "created_at": ("timestamp with time zone", False),
        "updated_at": ("timestamp with time zone", False),
    },
    "sqlite": {
        "id": ("integer", False),
        "user_id": ("varchar(255)", False),
        "title": ("varchar(200)", False),
        "description": ("varchar(1000)", True),
        "completed": ("bool", False),
        "created_at": ("datetime", False),
        "updated_at": ("datetime", False),
    },
}
CATALOGUE = {
    "postgresql": "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull"
    " FROM pg_attribute WHERE attrelid = 'task'::regclass AND attnum > 0 ORDER BY attnum",
    "sqlite": "SELECT name, lower(type), 1 - [notnull] FROM pragma_table_info('task') ORDER BY cid",
}


@pytest.mark.django_db
def test_the_table_has_the_plans_columns() -> None:
    """The table must match the plan's back end (FR-009, FR-010)."""
    with connection.cursor() as cursor:
        cursor.execute(CATALOGUE[connection.vendor])
        columns = {name: (kind, bool(nullable)) for name, kind, nullable in cursor.fetchall()}

    assert columns == COLUMNS[connection.vendor]


@pytest.mark.django_db
def test_there_is_an_index_for_the_list() -> None:
    """There must be an index for reading a user's tasks in id order (FR-018)."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "task")

    assert constraints["ix_task_user_id_id"]["index"]
    assert constraints["ix_task_user_id_id"]["columns"] == ["user_id", "id"]


LENGTHS = [
    ("user_id", USER_ID_MAX_LENGTH),
    ("title", TITLE_MAX_LENGTH),
    ("description", DESCRIPTION_MAX_LENGTH),
]
LETTERS = ["x", "\N{PILE OF POO}"]


@pytest.mark.django_db
def test_the_database_enforces_nulls_and_lengths() -> None:
    """NOT NULL and the lengths must be enforced for every writer (FR-007, FR-008)."""
    refused: list[dict[str, Any]] = [
        *({name: None} for name in ("user_id", "title", "completed", "created_at", "updated_at")),
        *({name: letter * (most + 1)} for name, most in LENGTHS for letter in LETTERS),
    ]

    assert [values for values in refused if not is_refused(**values)] == []
    assert rows() == []


def is_refused(**values: Any) -> bool:
    """Return whether the database refuses a row."""
    try:
        insert(**values)
    except DatabaseError:
        return True
    return False


@pytest.mark.django_db
def test_the_database_accepts_any_other_row() -> None:
    """Lengths must count characters, and ids must have 64 bits (FR-009)."""
    accepted: list[dict[str, Any]] = [
        *({name: letter * most} for name, most in LENGTHS for letter in LETTERS),
        {"description": None},
        {"title": ""},  # only the API refuses a blank title
        {"id": 2**63 - 1},
    ]

    assert [values for values in accepted if is_refused(**values)] == []

    stored: list[Any] = [*Task.objects.order_by("id").values()]
    assert [
        {name: row[name] for name in values} for values, row in zip(accepted, stored, strict=True)
    ] == accepted


def test_the_lengths_match_the_contract() -> None:
    """The lengths must match the contract (docs/contract.md, "A task")."""
    assert [length for _, length in LENGTHS] == [255, 200, 1000]


def test_the_string_of_a_task_is_its_title() -> None:
    """The string form of a task, which the admin shows, must be its title."""
    assert str(TaskFactory.build(title="Buy milk")) == "Buy milk"


@pytest.fixture
def _no_table(transactional_db: None) -> Iterator[None]:
    """Reverse the migrations, and apply them again afterwards."""
    call_command("migrate", "tasks", "zero", verbosity=0)
    yield
    call_command("migrate", "tasks", verbosity=0)


@pytest.mark.usefixtures("_no_table")
def test_migrations_are_reversible() -> None:
    """Reversing must remove the task table; after migrating again, ids must start at 1001."""
    assert "task" not in connection.introspection.table_names()

    call_command("migrate", "tasks", verbosity=0)

    assert [TaskFactory.create().id for _ in range(2)] == [1001, 1002]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    """A change to a model must have a migration."""
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
