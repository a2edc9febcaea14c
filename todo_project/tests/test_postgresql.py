"""The PostgreSQL back end: deadlines, lost connections, and no session state."""

import datetime as dt
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
import time_machine
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.utils import ConnectionHandler
from psycopg import sql

from conftest import ApiClient
from tasks.models import Task
from todo_project.configuration.database_url import database_settings
from todo_project.configuration.environment import BASE_DIR
from todo_project.deadlines import database_deadline, remaining_seconds
from todo_project.postgresql.connection import DeadlineConnection
from todo_project.tests.database_connections import StoppedClock, ask, ask_in_request, terminate

pytestmark = pytest.mark.postgresql
PID = "SELECT pg_backend_pid()"
NOON = dt.datetime(2026, 1, 6, 12, 0, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _connections(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Start and end each test without a connection and without Django's test transaction."""
    connection.close()
    with django_db_blocker.unblock():
        yield
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL only


@pytest.fixture
def tokyo(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """Set the default time zone of new sessions to Asia/Tokyo."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    connection.close()
    admin.execute(sql.SQL("ALTER DATABASE {} SET timezone TO 'Asia/Tokyo'").format(name))
    yield
    admin.execute(sql.SQL("ALTER DATABASE {} RESET timezone").format(name))
    connection.close()


def fetch_all(statement: str) -> Any:
    """Run a statement as the endpoints do."""
    return connection.fetch_all(statement, [])  # type: ignore[attr-defined]  # PostgreSQL only


def last_statement(admin: psycopg.Connection[Any]) -> str:
    """Return the last statement that the server received on the tests' connection."""
    row = admin.execute(
        "SELECT query FROM pg_stat_activity WHERE pid = %s",
        [connection.connection.info.backend_pid],
    ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("run", [ask, fetch_all])
def test_a_statement_past_the_deadline_is_cancelled(run: Callable[[str], Any]) -> None:
    """A slow statement must fail in time for a 503, and must stop on the server."""
    before, started = ask(PID), time.monotonic()

    with database_deadline(0.3), pytest.raises(OperationalError):
        run("SELECT pg_advisory_lock(1001), pg_sleep(60)")

    assert 0.3 <= time.monotonic() - started < 6
    close_old_connections()  # as at the end of a request
    assert ask(PID) != before
    # Succeeds as soon as the other session has ended, and fails if it is still asleep
    ask("SELECT set_config('lock_timeout', '30s', false)")
    assert ask("SELECT pg_advisory_lock(1001)::text") == ""


@pytest.mark.parametrize("run", [ask, fetch_all])
def test_the_deadline_counts_all_statements_together(
    monkeypatch: pytest.MonkeyPatch, run: Callable[[str], Any]
) -> None:
    """The deadline must run from the first statement, and no statement may run after it passes."""
    clock = StoppedClock(monkeypatch)
    insert = "INSERT INTO django_migrations VALUES (-1, 'x', 'x', now())"

    with database_deadline(10):
        clock.now += 20  # while a client sends its body
        run("SELECT 1")
        clock.now += 9
        run("SELECT 1")
        clock.now += 1
        with pytest.raises(OperationalError, match="no time is left"):
            run(insert)

    # no limit outside of a request, as in a migration
    assert remaining_seconds() is None
    assert ask("SELECT count(*) FROM django_migrations WHERE id = -1") == 0


@pytest.mark.parametrize("run", [ask, fetch_all])
def test_a_connection_lost_within_the_deadline_is_an_immediate_error(
    run: Callable[[str], Any],
) -> None:
    """A statement whose connection is lost must fail without waiting for the deadline."""
    started = time.monotonic()

    with database_deadline(60), pytest.raises(OperationalError):
        run("SELECT pg_terminate_backend(pg_backend_pid())")

    assert time.monotonic() - started < 30


def test_a_connection_is_usable_while_it_is_open(admin: psycopg.Connection[Any]) -> None:
    """A connection that either side has closed must be detected without a round trip."""
    ask("SELECT 'the last statement'")
    open_connection = connection.is_usable()
    sent = last_statement(admin)
    connection.connection.close()
    closed_here = connection.is_usable()
    connection.close()
    never_open = connection.is_usable()
    terminate(admin, ask(PID))

    assert (open_connection, sent) == (True, "SELECT 'the last statement'")
    assert [closed_here, never_open, connection.is_usable()] == [False, False, False]


@pytest.mark.usefixtures("tokyo")
def test_nothing_is_sent_on_connecting(admin: psycopg.Connection[Any]) -> None:
    """No ``SET`` may be sent: a pooler in transaction mode would leak it to another client."""
    connection.connect()

    assert last_statement(admin) == ""
    assert ask("SHOW timezone") == "Asia/Tokyo"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("tokyo")
def test_times_do_not_depend_on_the_servers_time_zone(alice: ApiClient) -> None:
    """Times must be UTC (docs/contract.md, "A task")."""
    with time_machine.travel(NOON, tick=False):
        created = ApiClient("alice").send("POST", "/api/alice/tasks", {"title": "x"}).json()
    read = alice.send("GET", f"/api/alice/tasks/{created['id']}").json()

    assert created["created_at"] == read["created_at"] == "2026-01-06T12:00:00.123456Z"
    assert Task.objects.get(created_at=NOON).created_at == NOON
    assert ask("SELECT created_at AT TIME ZONE 'UTC' FROM task") == NOON.replace(tzinfo=None)


def terminate_after_check(monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]) -> None:
    """Terminate the next connection right after it is found to be open."""
    is_open = DeadlineConnection.is_open

    def check(self: DeadlineConnection) -> bool:
        monkeypatch.setattr(DeadlineConnection, "is_open", is_open)
        result = is_open(self)
        terminate(admin, self.info.backend_pid)
        return result

    monkeypatch.setattr(DeadlineConnection, "is_open", check)


def test_a_connection_lost_between_two_statements_is_replaced(
    admin: psycopg.Connection[Any],
) -> None:
    """A request must not fail if it loses its connection between two statements."""
    terminate(admin, ask(PID))

    assert ask("SELECT 'again'") == "again"


def test_a_connection_lost_within_a_transaction_is_not_replaced(
    admin: psycopg.Connection[Any],
) -> None:
    """A transaction must fail with its connection, because its earlier writes are lost."""

    @transaction.atomic
    def lose_the_connection() -> None:
        terminate(admin, ask(PID))
        ask("SELECT 'again'")

    with pytest.raises(OperationalError):
        lose_the_connection()

    assert ask("SELECT 'again'") == "again"


@pytest.mark.django_db(transaction=True)
def test_a_read_whose_connection_is_lost_is_repeated(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """A restart of the database or of a pooler must not make a read fail."""
    task = Task.objects.add(user_id="alice", title="Buy milk")
    ask_in_request(PID)
    terminate_after_check(monkeypatch, admin)

    answer = alice.send("GET", f"/api/alice/tasks/{task.id}")

    assert (answer.status_code, answer.json()["title"]) == (200, "Buy milk")


def test_a_read_with_a_cursor_is_repeated_with_a_new_one(admin: psycopg.Connection[Any]) -> None:
    """The cursor that Django passes to execute wrappers must use the new connection."""
    pids = []

    def failing_once(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        pids.append(connection.connection.info.backend_pid)
        if len(pids) == 1:
            terminate(admin, pids[0])
        return execute(sql, params, many, context)

    ask(PID)
    with connection.execute_wrapper(failing_once):
        answered = ask(PID)

    assert pids[1:] == [answered]


def test_a_failed_reconnection_raises_djangos_error(
    monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """The exception handler must recognise the error as an outage (docs/contract.md, "Errors")."""
    refuse = Mock(side_effect=psycopg.OperationalError("connection refused"))

    def failing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        monkeypatch.setattr(DeadlineConnection, "connect", refuse)
        terminate(admin, connection.connection.info.backend_pid)
        return execute(sql, params, many, context)

    ask(PID)

    with connection.execute_wrapper(failing), pytest.raises(OperationalError, match="refused"):
        ask("SELECT 1")


def test_a_read_is_repeated_only_once(admin: psycopg.Connection[Any]) -> None:
    """A read that loses its connection twice must raise an error."""
    tries = []

    def failing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        tries.append(sql)
        terminate(admin, connection.connection.info.backend_pid)
        return execute(sql, params, many, context)

    ask(PID)

    with connection.execute_wrapper(failing), pytest.raises(OperationalError):
        ask("SELECT 1")

    assert tries == ["SELECT 1"] * 2


@pytest.mark.django_db(transaction=True)
def test_a_write_whose_connection_is_lost_is_not_repeated(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """The write may have been committed, and must not happen twice."""
    ask_in_request(PID)
    terminate_after_check(monkeypatch, admin)

    answer = alice.send("POST", "/api/alice/tasks", {"title": "Buy milk"})

    assert answer.status_code == 503
    assert not Task.objects.exists()


def test_the_deadline_covers_all_addresses_of_a_host() -> None:
    """Many unreachable addresses must cause a 503 in time (docs/contract.md, "Errors")."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hosts, ports = (",".join([each] * 30) for each in ("127.0.0.1", str(port)))
        url = f"postgresql://todo@/todo?host={hosts}&port={ports}"
        handler = ConnectionHandler({"default": database_settings("DATABASE_URL", url, BASE_DIR)})
        started = time.monotonic()

        with database_deadline(0.5), pytest.raises(OperationalError, match="no time is left"):
            handler["default"].ensure_connection()

        assert time.monotonic() - started < 6  # not 30 times the deadline
