"""The connection pool that the threads of a process share."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.db import (
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)

from todo_project.deadlines import database_deadline
from todo_project.postgresql import base
from todo_project.postgresql.connection import DeadlineConnection
from todo_project.postgresql.connection_pool import Pool
from todo_project.tests.database_connections import ask, ask_in_request, terminate

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PID = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def pools(
    django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[Any, Pool]]:
    """Start and end each test without connections, and without Django's test transaction."""
    connection.close()
    pools: dict[Any, Pool] = {}
    monkeypatch.setattr(base, "_pools", pools)
    with django_db_blocker.unblock():
        yield pools
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL only


def in_threads(count: int, statement: str) -> list[Any]:
    """Run a statement in several threads at once, and return the results."""

    def one(_: int) -> Any:
        barrier.wait()
        return ask_in_request(statement)

    barrier = threading.Barrier(count, timeout=60)
    with ThreadPoolExecutor(count) as executor:
        return list(executor.map(one, range(count)))


def test_a_request_reuses_the_connection_of_another() -> None:
    """Sequential requests must share a connection across threads; concurrent ones must not."""
    pids = {ask_in_request(PID)}
    for _ in range(5):
        pids |= set(in_threads(1, PID))
    mine = ask(PID)

    assert pids == {mine}
    assert in_threads(1, PID) != [mine]
    assert ask(PID) == mine


def test_concurrent_requests_open_no_more_connections_than_the_pool_has_slots(
    monkeypatch: pytest.MonkeyPatch, pools: dict[Any, Pool]
) -> None:
    """A request must wait while all connections are in use."""
    monkeypatch.setattr(base, "Pool", partial(Pool, size=2))

    pids = in_threads(10, "SELECT pg_backend_pid() FROM pg_sleep(0.1)")

    assert len(set(pids)) <= 2
    assert len(pools) == 1


def test_the_connections_in_use_are_counted() -> None:
    """An idle connection must not count, nor one that is closed."""
    assert base.connections_in_use() == 0
    ask(PID)
    assert base.connections_in_use() == 1
    close_old_connections()
    assert base.connections_in_use() == 0
    ask(PID)
    connection.close()
    assert base.connections_in_use() == 0


def test_the_deadline_includes_the_wait_for_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that gets no connection must get a 503 in time (docs/contract.md, "Errors")."""
    monkeypatch.setattr(base, "Pool", partial(Pool, size=1))
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


def test_a_failed_connection_attempt_releases_its_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The slot must be released exactly once, whichever step of connecting fails."""
    refuse = Mock(side_effect=psycopg.OperationalError("the database is too old"))
    monkeypatch.setattr(base, "Pool", partial(Pool, size=1))
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


def test_a_closed_connection_releases_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's ``close()`` must call ``_close()``, which the back end overrides."""
    monkeypatch.setattr(base, "Pool", partial(Pool, size=1))
    ask(PID)

    connection.close()

    with database_deadline(30):
        assert ask("SELECT 'connected'") == "connected"


def test_a_reused_connection_starts_in_a_clean_state() -> None:
    """``connect()`` must set the same attributes as for a new connection, except four."""
    names: set[str] = set()

    class Recorder(base.DatabaseWrapper):
        def __setattr__(self, name: str, value: Any) -> None:
            names.add(name)
            super().__setattr__(name, value)

    recorder = Recorder({**connection.settings_dict})
    found = []
    for _ in range(2):
        names.clear()
        recorder.connect()
        found.append(frozenset(names))
        recorder.close_if_unusable_or_obsolete()
    recorder.close_pool()

    opened, reused = found
    # the back end replaces the health check and close_at; isolation_level never changes
    only_opened = {"close_at", "health_check_enabled", "health_check_done", "isolation_level"}
    assert opened - reused == only_opened


def test_a_connection_in_a_transaction_is_not_reused() -> None:
    """A transaction must not continue in another request."""
    connection.set_autocommit(False)
    before = ask(PID)

    close_old_connections()

    assert ask_in_request(PID) != before
    assert connection.autocommit


def test_an_old_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection may be kept longer than ``CONN_MAX_AGE``."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    before = ask_in_request(PID)

    assert ask_in_request(PID) != before


def test_an_idle_connection_that_was_lost_is_replaced(admin: psycopg.Connection[Any]) -> None:
    """A write must not fail on a connection that is known to be closed."""
    terminate(admin, ask_in_request(PID))

    assert (
        ask_in_request("INSERT INTO django_migrations VALUES (-1, 'x', 'x', now()) RETURNING id")
        == -1
    )
    ask_in_request("DELETE FROM django_migrations WHERE id = -1 RETURNING id")


def test_the_connections_of_a_read_only_server_are_replaced() -> None:
    """After a failover they lead to a standby; the idle ones and those in use must be closed."""
    with ThreadPoolExecutor(2) as executor:
        idle, barrier = [], threading.Barrier(2, timeout=60)

        def in_use() -> None:
            idle.append(ask(PID))
            barrier.wait()
            barrier.wait()
            close_old_connections()

        user = executor.submit(in_use)
        barrier.wait()
        idle += in_threads(1, PID)
        ask("SELECT set_config('default_transaction_read_only', 'on', false)")
        with pytest.raises(InternalError, match="read-only"):
            ask_in_request("CREATE TABLE anything ()")
        barrier.wait()
        user.result()

    assert not {*idle} & {*in_threads(3, "SELECT pg_backend_pid() FROM pg_sleep(0.1)")}


def test_a_read_only_server_is_left_by_its_readiness_check() -> None:
    """A balancer sends no request before the check succeeds, which must reach the new primary."""
    before = ask(
        "SELECT pg_backend_pid() FROM set_config('default_transaction_read_only', 'on', false)"
    )
    is_writable = connection.is_writable  # type: ignore[attr-defined]
    close_old_connections()

    assert (is_writable, ask(PID) == before) == (False, False)
    assert connection.is_writable  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_silent", [False, True], ids=["slow", "silent"])
def test_the_connections_of_a_silent_server_are_closed(
    monkeypatch: pytest.MonkeyPatch, is_silent: bool
) -> None:
    """Each request would wait for another of them; a slow server must not lose them all."""
    if is_silent:
        silence = Mock(side_effect=psycopg.errors.CancellationTimeout("expired"))
        monkeypatch.setattr(DeadlineConnection, "cancel_safe", silence)
    ask(PID)
    idle = in_threads(1, PID)
    lost = connection.connection
    lost.on_silence = Mock()

    with database_deadline(0.1), pytest.raises(OperationalError):
        ask("SELECT pg_sleep(5)")
    close_old_connections()

    assert lost.on_silence.called == is_silent
    assert (ask(PID) in idle) != is_silent


def test_a_server_that_stays_read_only_costs_one_connection_a_second() -> None:
    """Each failing write would otherwise open connections in vain."""
    read_only = "SELECT set_config('default_transaction_read_only', 'on', false)"
    pids = set()
    for _ in range(5):
        ask(read_only)
        pids.add(ask(PID))
        with pytest.raises(InternalError, match="read-only"):
            ask_in_request("CREATE TABLE anything ()")

    assert len(pids) <= 4


def test_another_error_of_the_server_replaces_no_connection() -> None:
    """A statement that is rejected for another reason says nothing about the server."""
    before = ask_in_request(PID)
    with pytest.raises(InternalError, match="VACUUM cannot"), transaction.atomic():
        ask("VACUUM")

    assert ask_in_request(PID) == before


def test_two_databases_have_separate_pools(pools: dict[Any, Pool]) -> None:
    """A connection must not be reused for another database."""
    ask_in_request(PID)
    other = connections.create_connection("default")
    other.settings_dict = {**connection.settings_dict, "NAME": "postgres"}

    with other.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == ("postgres",)
    other.close()

    assert len(pools) == 2
