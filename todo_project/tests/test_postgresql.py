"""The PostgreSQL back end: a deadline, a free health check, no session state."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import OperationalError, close_old_connections, connection
from psycopg import sql

from conftest import ApiClient
from tasks.models import Task
from todo_project.deadlines import database_deadline, remaining_seconds
from todo_project.tests.database_connections import ask, end

pytestmark = pytest.mark.postgresql
NOON = dt.datetime(2026, 1, 6, 12, 0, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _closed_in_the_end(transactional_db: None) -> Iterator[None]:
    """Leave no dead connection to the next test."""
    yield
    connection.close()


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


def end_connection(admin: psycopg.Connection[Any]) -> None:
    """Let the server close the tests' connection."""
    end(admin, connection.connection.info.backend_pid)


def test_a_statement_past_the_deadline_is_given_up() -> None:
    """A database that is too slow must be a 503 in time (contract.md "Errors")."""
    started = time.monotonic()

    with database_deadline(0.3), pytest.raises(OperationalError):
        ask("SELECT pg_sleep(60)")

    assert 0.3 <= time.monotonic() - started < 5
    assert connection.connection.closed


def test_the_next_request_after_a_deadline_gets_a_fresh_connection() -> None:
    """An answer that comes late must not be taken for that of the next statement."""
    before = ask("SELECT pg_backend_pid()")
    with database_deadline(0.3), pytest.raises(OperationalError):
        ask("SELECT pg_sleep(60)")

    close_old_connections()  # as Django does between two requests

    assert ask("SELECT pg_backend_pid()") != before


def test_a_statement_past_the_deadline_is_cancelled_on_the_server(
    admin: psycopg.Connection[Any],
) -> None:
    """What nobody waits for any more must not go on."""
    with database_deadline(0.3), pytest.raises(OperationalError):
        ask("SELECT pg_advisory_lock(1001), pg_sleep(60)")

    # Granted as soon as the other session is over, and refused if that goes on sleeping
    admin.execute("SET lock_timeout = '5s'")
    assert admin.execute("SELECT pg_advisory_lock(1001)::text").fetchone() == ("",)


def test_the_deadline_counts_all_statements_together() -> None:
    """Many slow statements must not add up to more than the limit."""
    with database_deadline(0.8):
        ask("SELECT pg_sleep(0.5)")
        with pytest.raises(OperationalError):
            ask("SELECT pg_sleep(0.5)")


def test_a_statement_within_the_deadline_is_answered() -> None:
    """A limit must not be felt where there is time."""
    with database_deadline(30):
        assert ask("SELECT 1") == 1


def test_nothing_limits_a_statement_outside_of_a_request() -> None:
    """A migration may take as long as it takes."""
    with database_deadline(0.1):
        pass

    assert remaining_seconds() is None
    assert ask("SELECT pg_sleep(0.3)") == ""


def test_a_lost_connection_within_the_deadline_is_an_error_at_once() -> None:
    """A connection that dies must not be waited for."""
    started = time.monotonic()

    with database_deadline(30), pytest.raises(OperationalError):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")

    assert time.monotonic() - started < 5


def test_a_connection_that_stands_is_usable() -> None:
    """A connection must be reused."""
    ask("SELECT 1")

    assert connection.is_usable()


def test_a_connection_that_the_server_has_closed_is_not_usable(
    admin: psycopg.Connection[Any],
) -> None:
    """A restart of the database must be noticed before the next statement is sent."""
    ask("SELECT 1")
    end_connection(admin)

    assert not connection.is_usable()


def test_a_connection_that_we_have_closed_is_not_usable() -> None:
    """What is closed, or was never open, must not be used."""
    ask("SELECT 1")
    connection.connection.close()
    closed = connection.is_usable()
    connection.close()

    assert not closed
    assert not connection.is_usable()


def test_a_request_after_a_restart_of_the_database_does_not_fail(
    alice: ApiClient, admin: psycopg.Connection[Any]
) -> None:
    """A connection that has been closed meanwhile must be replaced unseen."""
    ask("SELECT 1")
    end_connection(admin)
    close_old_connections()

    assert alice.send("GET", "/api/alice/tasks").status_code == 200


def test_the_health_check_sends_nothing(admin: psycopg.Connection[Any]) -> None:
    """A request must not pay a round trip for it."""
    ask("SELECT 'the last statement'")

    assert connection.is_usable()
    assert last_statement(admin) == "SELECT 'the last statement'"


@pytest.mark.usefixtures("tokyo")
def test_nothing_is_sent_on_connecting(admin: psycopg.Connection[Any]) -> None:
    """A ``SET`` would leak into another client behind a pooler in transaction mode."""
    connection.connect()

    assert last_statement(admin) == ""
    assert ask("SHOW timezone") == "Asia/Tokyo"


@pytest.mark.usefixtures("tokyo")
def test_times_are_right_whatever_the_servers_time_zone_is(alice: ApiClient) -> None:
    """Times must be UTC (contract.md "A task")."""
    with time_machine.travel(NOON, tick=False):
        created = ApiClient("alice").send("POST", "/api/alice/tasks", {"title": "x"}).json()
    read = alice.send("GET", f"/api/alice/tasks/{created['id']}").json()

    assert created["created_at"] == read["created_at"] == "2026-01-06T12:00:00.123456Z"
    assert Task.objects.get(created_at=NOON).created_at == NOON
    assert ask("SELECT created_at AT TIME ZONE 'UTC' FROM task") == NOON.replace(tzinfo=None)
