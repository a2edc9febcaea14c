"""What the database itself holds to, whoever writes to it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from authn.tokens import MAX_USER_ID_LENGTH
from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, USER_ID_MAX_LENGTH, Task
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


# the type of a column and whether it may be NULL; an id has 64 bits, a moment its time zone
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
    """The table must be the one that the plan's back end has made (FR-009, FR-010)."""
    with connection.cursor() as cursor:
        cursor.execute(CATALOGUE[connection.vendor])
        columns = {name: (kind, bool(nullable)) for name, kind, nullable in cursor.fetchall()}

    assert columns == COLUMNS[connection.vendor]


@pytest.mark.django_db
def test_there_is_an_index_for_the_list() -> None:
    """A user's tasks by id must be read from an index (FR-018)."""
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
def test_the_database_refuses_what_no_task_has() -> None:
    """NOT NULL and the lengths must hold for every writer (FR-007, FR-008)."""
    refused: list[dict[str, Any]] = [
        *({name: None} for name in ("user_id", "title", "completed", "created_at", "updated_at")),
        *({name: letter * (most + 1)} for name, most in LENGTHS for letter in LETTERS),
    ]

    assert [values for values in refused if not is_refused(**values)] == []
    assert rows() == []


def is_refused(**values: Any) -> bool:
    """Try to insert a row, and tell whether the database refuses it."""
    try:
        insert(**values)
    except DatabaseError:
        return True
    return False


@pytest.mark.django_db
def test_the_database_takes_everything_else() -> None:
    """Lengths must be counted in characters, an id have 64 bits, and old rows stay (FR-009)."""
    taken: list[dict[str, Any]] = [
        *({name: letter * most} for name, most in LENGTHS for letter in LETTERS),
        {"description": None},
        {"title": ""},  # only clients are refused one
        {"id": 2**63 - 1},
    ]

    assert [values for values in taken if is_refused(**values)] == []

    stored: list[Any] = [*Task.objects.order_by("id").values()]
    assert [{name: row[name] for name in v} for v, row in zip(taken, stored, strict=True)] == taken


def test_the_lengths_are_those_of_the_contract() -> None:
    """A text, and the id of each user of a token, must have its room (contract.md "A task")."""
    assert [length for _, length in LENGTHS] == [255, 200, 1000]
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
def test_the_migrations_can_be_taken_back_and_made_again() -> None:
    """Nothing of the table may be left, and the demo cards' ids stay free (docs/contract.md)."""
    assert "task" not in connection.introspection.table_names()

    call_command("migrate", "tasks", verbosity=0)

    assert [TaskFactory.create().id for _ in range(2)] == [1001, 1002]


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_say() -> None:
    """A change of a model must come with its migration."""
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
