"""The PostgreSQL back end: deadlines, lost connections, no session state."""

import datetime as dt
import socket
import time
from collections.abc import Iterator
from typing import Any

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
from todo_project.tests.database_connections import StoppedClock, ask, end, request

pytestmark = pytest.mark.postgresql
PID = "SELECT pg_backend_pid()"
NOON = dt.datetime(2026, 1, 6, 12, 0, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _connections(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Begin without a connection, and leave none; a transaction would be in the way."""
    connection.close()
    with django_db_blocker.unblock():
        yield
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # not every back end has one


@pytest.fixture
def tokyo(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """Let the server's sessions start in another time zone."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    connection.close()
    admin.execute(sql.SQL("ALTER DATABASE {} SET timezone TO 'Asia/Tokyo'").format(name))
    yield
    admin.execute(sql.SQL("ALTER DATABASE {} RESET timezone").format(name))
    connection.close()


def last_statement(admin: psycopg.Connection[Any]) -> str:
    """Return what the server was last sent on the tests' connection."""
    row = admin.execute(
        "SELECT query FROM pg_stat_activity WHERE pid = %s",
        [connection.connection.info.backend_pid],
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_statement_past_the_deadline_is_given_up() -> None:
    """A slow database must be a 503 in time, and nothing go on (docs/contract.md, "Errors")."""
    before, started = ask(PID), time.monotonic()

    with database_deadline(0.3), pytest.raises(OperationalError):
        ask("SELECT pg_advisory_lock(1001), pg_sleep(60)")

    assert 0.3 <= time.monotonic() - started < 6
    close_old_connections()  # as Django does between two requests
    assert ask(PID) != before
    # Granted as soon as the other session is over, and refused if that goes on sleeping
    ask("SELECT set_config('lock_timeout', '30s', false)")
    assert ask("SELECT pg_advisory_lock(1001)::text") == ""


def test_the_deadline_counts_all_statements_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must run from the first one, and what is refused after it must not be done."""
    clock = StoppedClock(monkeypatch)
    insert = "INSERT INTO django_migrations VALUES (-1, 'x', 'x', now())"

    with database_deadline(10):
        clock.now += 20  # while a client sends its body
        ask("SELECT 1")
        clock.now += 9
        assert ask("SELECT 1") == 1
        clock.now += 1
        with pytest.raises(OperationalError, match="no time is left"):
            ask(insert)

    # Nothing limits what is outside of a request: a migration may take as long as it takes
    assert remaining_seconds() is None
    assert ask("SELECT count(*) FROM django_migrations WHERE id = -1") == 0


def test_a_lost_connection_within_the_deadline_is_an_error_at_once() -> None:
    """A connection that dies must not be waited for."""
    started = time.monotonic()

    with database_deadline(60), pytest.raises(OperationalError):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")

    assert time.monotonic() - started < 30


def test_a_connection_is_usable_while_it_stands(admin: psycopg.Connection[Any]) -> None:
    """Whoever closes it, that must be noticed, and a request pay no round trip to find out."""
    ask("SELECT 'the last statement'")
    stands = connection.is_usable()
    sent = last_statement(admin)
    connection.connection.close()
    closed_by_us = connection.is_usable()
    connection.close()
    never_open = connection.is_usable()
    end(admin, ask(PID))

    assert (stands, sent) == (True, "SELECT 'the last statement'")
    assert [closed_by_us, never_open, connection.is_usable()] == [False, False, False]


@pytest.mark.usefixtures("tokyo")
def test_nothing_is_sent_on_connecting(admin: psycopg.Connection[Any]) -> None:
    """A ``SET`` would leak into another client behind a pooler in transaction mode."""
    connection.connect()

    assert last_statement(admin) == ""
    assert ask("SHOW timezone") == "Asia/Tokyo"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("tokyo")
def test_times_are_right_whatever_the_servers_time_zone_is(alice: ApiClient) -> None:
    """Times must be UTC (docs/contract.md, "A task")."""
    with time_machine.travel(NOON, tick=False):
        created = ApiClient("alice").send("POST", "/api/alice/tasks", {"title": "x"}).json()
    read = alice.send("GET", f"/api/alice/tasks/{created['id']}").json()

    assert created["created_at"] == read["created_at"] == "2026-01-06T12:00:00.123456Z"
    assert Task.objects.get(created_at=NOON).created_at == NOON
    assert ask("SELECT created_at AT TIME ZONE 'UTC' FROM task") == NOON.replace(tzinfo=None)


def end_after_its_check(monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]) -> None:
    """Let the server close the next connection just after it was found to stand."""
    stands = DeadlineConnection.stands

    def ending(self: DeadlineConnection) -> bool:
        monkeypatch.setattr(DeadlineConnection, "stands", stands)
        answer = stands(self)
        end(admin, self.info.backend_pid)
        return answer

    monkeypatch.setattr(DeadlineConnection, "stands", ending)


def test_a_connection_that_dies_between_two_statements_is_replaced(
    admin: psycopg.Connection[Any],
) -> None:
    """A request with more than one statement must not fail at the second."""
    end(admin, ask(PID))

    assert ask("SELECT 'again'") == "again"


def test_a_dead_connection_is_not_replaced_within_a_transaction(
    admin: psycopg.Connection[Any],
) -> None:
    """What was written before must not be lost unseen."""

    @transaction.atomic
    def lose_the_connection() -> None:
        end(admin, ask(PID))
        ask("SELECT 'again'")

    with pytest.raises(OperationalError):
        lose_the_connection()

    assert ask("SELECT 'again'") == "again"


@pytest.mark.django_db(transaction=True)
def test_a_read_whose_connection_dies_is_sent_again(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """A restart of the database or a pooler must not fail a read."""
    task = Task.objects.add(user_id="alice", title="Buy milk")
    request(PID)
    end_after_its_check(monkeypatch, admin)

    answer = alice.send("GET", f"/api/alice/tasks/{task.id}")

    assert (answer.status_code, answer.json()["title"]) == (200, "Buy milk")


def test_a_read_is_sent_again_once(admin: psycopg.Connection[Any]) -> None:
    """Two tries must be the end of it."""
    tries = []

    def failing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        tries.append(sql)
        end(admin, connection.connection.info.backend_pid)
        return execute(sql, params, many, context)

    ask(PID)

    with connection.execute_wrapper(failing), pytest.raises(OperationalError):
        ask("SELECT 1")

    assert tries == ["SELECT 1"] * 2


@pytest.mark.django_db(transaction=True)
def test_a_write_whose_connection_dies_is_not_sent_again(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """Nobody knows whether it happened, and it must not happen twice."""
    request(PID)
    end_after_its_check(monkeypatch, admin)

    answer = alice.send("POST", "/api/alice/tasks", {"title": "Buy milk"})

    assert answer.status_code == 503
    assert not Task.objects.exists()


def test_all_addresses_of_a_host_together_keep_to_the_deadline() -> None:
    """A host with many addresses must be a 503 in time, too (docs/contract.md, "Errors")."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hosts, ports = (",".join([each] * 30) for each in ("127.0.0.1", str(port)))
        url = f"postgresql://todo@/todo?host={hosts}&port={ports}"
        handler = ConnectionHandler({"default": database_settings("DATABASE_URL", url, BASE_DIR)})
        started = time.monotonic()

        with database_deadline(0.5), pytest.raises(OperationalError, match="no time is left"):
            handler["default"].ensure_connection()

        assert time.monotonic() - started < 6  # and not 30 times the deadline
