"""Connections that die under a request, and what is sent a second time."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.db.utils import ConnectionHandler

from conftest import ApiClient
from tasks.models import Task
from todo_project.database_url import database_settings
from todo_project.deadlines import database_deadline
from todo_project.environment import BASE_DIR
from todo_project.postgresql.connection import DeadlineConnection
from todo_project.tests.database_connections import ask, end, request

pytestmark = pytest.mark.postgresql
PID = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def _closed_in_the_end(transactional_db: None) -> Iterator[None]:
    """Leave no dead connection to the next test."""
    connection.close()
    yield
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # not every back end has one


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


def test_a_read_whose_connection_dies_is_sent_again(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """A restart of the database or a pooler must not fail a read (issue "Nothing lost")."""
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


def test_a_write_whose_connection_dies_is_not_sent_again(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """Nobody knows whether it happened, and it must not happen twice (issue "Nothing lost")."""
    request(PID)
    end_after_its_check(monkeypatch, admin)

    answer = alice.send("POST", "/api/alice/tasks", {"title": "Buy milk"})

    assert answer.status_code == 503
    assert not Task.objects.exists()


def test_a_read_past_its_deadline_is_not_sent_again() -> None:
    """The second try must not double the time that a client waits."""
    started = time.monotonic()

    with database_deadline(0.3), pytest.raises(OperationalError):
        ask("SELECT pg_sleep(60)")

    assert time.monotonic() - started < 5


def test_the_deadline_runs_from_where_the_database_is_used() -> None:
    """A client that sends its body slowly must not be told that the database is away."""
    with database_deadline(0.3):
        time.sleep(0.5)
        assert ask("SELECT 1") == 1


def test_nothing_is_sent_after_the_deadline() -> None:
    """What is answered with a 503 before it was begun must not be done."""
    ask(PID)
    with (
        database_deadline(0),
        pytest.raises(OperationalError, match="no time is left"),
        connection.cursor() as cursor,
    ):
        cursor.execute("INSERT INTO django_migrations VALUES (-1, 'x', 'x', now())")

    assert ask("SELECT count(*) FROM django_migrations WHERE id = -1") == 0


def test_all_addresses_of_a_host_together_keep_to_the_deadline() -> None:
    """A host with many addresses must be a 503 in time, too (contract.md "Errors")."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hosts = ",".join(["127.0.0.1"] * 5)
        url = f"postgresql://todo@/todo?host={hosts}&port={','.join([str(port)] * 5)}"
        handler = ConnectionHandler({"default": database_settings("DATABASE_URL", url, BASE_DIR)})
        started = time.monotonic()

        with database_deadline(0.5), pytest.raises(OperationalError, match="no time is left"):
            handler["default"].ensure_connection()

        assert time.monotonic() - started < 2
