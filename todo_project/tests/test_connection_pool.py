"""The connections that the threads of a process share."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.db import OperationalError, close_old_connections, connection, connections

from todo_project.deadlines import database_deadline
from todo_project.postgresql import base
from todo_project.postgresql.pool import Pool
from todo_project.tests.database_connections import ask, end, request

pytestmark = pytest.mark.postgresql
PID = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def pools(
    django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[Any, Pool]]:
    """Begin without connections, and leave none; a transaction would be in the way."""
    connection.close()
    pools: dict[Any, Pool] = {}
    monkeypatch.setattr(base, "_pools", pools)
    with django_db_blocker.unblock():
        yield pools
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # not every back end has one


def in_threads(count: int, statement: str) -> list[Any]:
    """Run a statement in threads of their own, all at once, and return what each one got."""

    def one(_: int) -> Any:
        barrier.wait()
        return request(statement)

    barrier = threading.Barrier(count, timeout=60)
    with ThreadPoolExecutor(count) as executor:
        return list(executor.map(one, range(count)))


def test_a_request_uses_the_connection_that_another_has_left() -> None:
    """One after the other must need one, whatever threads answer; two at once must not share it."""
    pids = {request(PID)}
    for _ in range(5):
        pids |= set(in_threads(1, PID))
    mine = ask(PID)

    assert pids == {mine}
    assert in_threads(1, PID) != [mine]
    assert ask(PID) == mine


def test_many_requests_at_once_open_no_more_connections_than_there_are_places(
    monkeypatch: pytest.MonkeyPatch, pools: dict[Any, Pool]
) -> None:
    """Whoever finds all connections in use must wait for one."""
    monkeypatch.setattr(base, "Pool", lambda: Pool(2))

    pids = in_threads(10, "SELECT pg_backend_pid() FROM pg_sleep(0.1)")

    assert len(set(pids)) <= 2
    assert len(pools) == 1


def test_waiting_for_a_connection_counts_against_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that gets no connection must be a 503 in time (docs/contract.md, "Errors")."""
    monkeypatch.setattr(base, "Pool", lambda: Pool(1))
    ask(PID)

    def late() -> float:
        started = time.monotonic()
        with database_deadline(0.3), pytest.raises(OperationalError, match="all connections"):
            ask(PID)
        return time.monotonic() - started

    with ThreadPoolExecutor() as executor:
        assert 0.3 <= executor.submit(late).result() < 6
    close_old_connections()
    assert in_threads(1, "SELECT 'mine'") == ["mine"]


def test_a_failed_attempt_to_connect_leaves_its_place_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A place must be given back once, wherever opening a connection has failed."""
    refuse = Mock(side_effect=psycopg.OperationalError("the database is too old"))
    monkeypatch.setattr(base, "Pool", lambda: Pool(1))
    with monkeypatch.context() as patch:
        patch.setattr(base.DatabaseWrapper, "init_connection_state", refuse)
        for _ in range(3):
            with pytest.raises(OperationalError, match="too old"):
                ask(PID)
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "missing")
        for _ in range(3):
            with pytest.raises(OperationalError, match="missing"):
                ask(PID)

    assert len(set(in_threads(3, "SELECT pg_backend_pid() FROM pg_sleep(0.1)"))) == 1


def test_a_connection_in_a_transaction_is_not_left_to_others() -> None:
    """What somebody has begun must not go on in another request."""
    connection.set_autocommit(False)
    before = ask(PID)

    close_old_connections()

    assert request(PID) != before
    assert connection.autocommit


def test_an_old_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection may be kept longer than is configured."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    before = request(PID)

    assert request(PID) != before


def test_a_connection_that_died_unused_is_replaced(admin: psycopg.Connection[Any]) -> None:
    """A write must not meet a connection that is known to be closed."""
    end(admin, request(PID))

    assert request("INSERT INTO django_migrations VALUES (-1, 'x', 'x', now()) RETURNING id") == -1
    request("DELETE FROM django_migrations WHERE id = -1 RETURNING id")


def test_connections_of_two_databases_are_kept_apart(pools: dict[Any, Pool]) -> None:
    """A connection must not be taken for one to another database."""
    request(PID)
    other = connections.create_connection("default")
    other.settings_dict = {**connection.settings_dict, "NAME": "postgres"}

    with other.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == ("postgres",)
    other.close()

    assert len(pools) == 2
