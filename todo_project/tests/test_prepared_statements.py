"""``DATABASE_PREPARED``: no client may notice that PostgreSQL keeps statements prepared."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DataError, OperationalError, connection

from conftest import ApiClient
from tasks.models import Task
from todo_project.deadlines import database_deadline
from todo_project.tests.database_connections import ask, terminate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
TASKS = "/api/alice/tasks"
EXECUTED = "SELECT coalesce(sum(custom_plans + generic_plans), 0)::int FROM pg_prepared_statements"


@pytest.fixture(autouse=True)
def _prepared(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Open new connections as with ``DATABASE_PREPARED=true``."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL only, here and below
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", 0)
    yield
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


@pytest.fixture
def task_id(_prepared: None) -> Iterator[int]:
    """Return the id of a task that has been read and flipped with prepared statements."""
    task = ApiClient("alice").send("POST", TASKS, {"title": "Buy milk"}).json()
    assert read_and_flip(task["id"]) == [(200, False), (200, True)]
    yield task["id"]
    execute("ALTER TABLE task ALTER COLUMN title TYPE varchar(200)")


def read_and_flip(task_id: int) -> list[tuple[int, bool]]:
    """Read and flip a task; return each status and ``completed``."""
    alice, task = ApiClient("alice"), f"{TASKS}/{task_id}"
    answers = [alice.send("GET", task), alice.send("PATCH", f"{task}/complete")]
    return [(answer.status_code, answer.json().get("completed")) for answer in answers]


def execute(statement: str) -> None:
    """Execute a statement in the session that has prepared statements."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def fetch(statement: str, *parameters: Any) -> Any:
    """Run a prepared statement."""
    return connection.fetch_all(statement, parameters, prepare=True)  # type: ignore[attr-defined]


def test_a_statement_is_prepared_once_and_executed_often(task_id: int) -> None:
    """Each statement of the endpoints must be prepared in a session at its first use."""
    before = ask("SELECT array_agg(name ORDER BY name) FROM pg_prepared_statements"), ask(EXECUTED)

    assert read_and_flip(task_id) == [(200, True), (200, False)]
    assert len(before[0]) == 3
    assert ask("SELECT array_agg(name ORDER BY name) FROM pg_prepared_statements") == before[0]
    assert ask(EXECUTED) == before[1] + 2


def test_a_prepared_statement_is_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first use in a session may need a second round trip (SC-006)."""
    waits: list[None] = []
    wait = psycopg.Connection.wait

    def counting(*args: Any, **kwargs: Any) -> Any:
        waits.append(None)
        return wait(*args, **kwargs)

    connection.ensure_connection()
    monkeypatch.setattr(psycopg.Connection, "wait", counting)
    found = []
    for number in range(3):
        waits.clear()
        fetch("SELECT %s", number)
        found.append(len(waits))

    assert found == [2, 1, 1]


def test_a_list_with_options_is_not_prepared() -> None:
    """A session must not keep a statement for each limit that a client asks for."""
    assert ApiClient("alice").send("GET", f"{TASKS}?limit=3").status_code == 200
    assert ask("SELECT count(*) FROM pg_prepared_statements") == 0


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE task ALTER COLUMN title TYPE varchar(201)", "DEALLOCATE ALL"],
    ids=["the table has changed", "the session has lost its statements"],
)
def test_a_statement_that_is_no_longer_valid_is_run_all_the_same(change: str, task_id: int) -> None:
    """A read and a write must succeed, and a write must happen once."""
    execute(change)

    assert read_and_flip(task_id) == [(200, True), (200, False)]
    assert read_and_flip(task_id) == [(200, False), (200, True)]


def test_a_write_that_is_the_first_to_meet_a_changed_table_happens_once(task_id: int) -> None:
    """The server rolls the refused write back before it is run again."""
    execute("ALTER TABLE task ALTER COLUMN title TYPE varchar(201)")

    answer = ApiClient("alice").send("PATCH", f"{TASKS}/{task_id}/complete")

    assert (answer.status_code, answer.json()["completed"]) == (200, False)
    assert Task.objects.get().completed is False


def test_a_statement_that_another_client_has_prepared_is_used() -> None:
    """A pooler may assign a session with the statements of another client."""
    assert fetch("SELECT %s::int", 1) == [(1,)]
    connection.connection.prepared_names.clear()  # as on the connection of another client

    assert fetch("SELECT %s::int", 2) == [(2,)]
    assert ask(EXECUTED) == 2


def test_a_new_connection_prepares_its_own_statements(
    task_id: int, admin: psycopg.Connection[Any]
) -> None:
    """A read and a write must succeed after the connection is lost."""
    terminate(admin, connection.connection.info.backend_pid)

    assert read_and_flip(task_id) == [(200, True), (200, False)]
    assert ask(EXECUTED) == 2


def test_an_error_is_raised_as_without_preparation() -> None:
    """The exception handler must recognise the error, when it is prepared and when it is run."""
    for statement, cause in (
        ("SELECT 1 / %s", psycopg.errors.DivisionByZero),
        ("SELECT 1 / %s", psycopg.errors.DivisionByZero),
        ("SELECT %s::int / 'one'", psycopg.errors.InvalidTextRepresentation),
    ):
        with pytest.raises(DataError) as raised:
            fetch(statement, 0)
        assert isinstance(raised.value.__cause__, cause)


def test_a_prepared_statement_has_a_deadline() -> None:
    """A slow statement must fail in time for a 503 (docs/contract.md, "Errors")."""
    started = time.monotonic()

    with database_deadline(0.3), pytest.raises(OperationalError):
        fetch("SELECT pg_sleep(%s)", 60)

    assert 0.3 <= time.monotonic() - started < 6
