"""The database goes down and comes back under load (docs/contract.md, "Concurrency")."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from faults.load import Load
from faults.postgres import MAX_CONNECTIONS, Postgres
from todo_project.tests.live_server import LiveServer, serving

RESPONSE_SECONDS = 6.0
FROZEN_SECONDS = 15.0
HEALTH_SECONDS = 1.0
RECOVERY_SECONDS = 10.0
OUTAGE_SECONDS = 3.0
FREEZE_SECONDS = 6.0  # longer than a request's deadline

Outage = Callable[[Postgres], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def killed(postgres: Postgres) -> Iterator[None]:
    """Kill the server with SIGKILL, and start it when the block ends."""
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


@contextlib.contextmanager
def restarted(postgres: Postgres) -> Iterator[None]:
    """Stop the server cleanly, and start it when the block ends."""
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextlib.contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """Freeze the server until the block ends: connections stay open, but get no response."""
    postgres.freeze()
    try:
        yield
    finally:
        postgres.thaw()


@contextlib.contextmanager
def read_only(postgres: Postgres) -> Iterator[None]:
    """Reject writes until the block ends, as a standby does."""
    postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    postgres.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        postgres.execute("ALTER SYSTEM RESET default_transaction_read_only")
        postgres.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def out_of_connections(postgres: Postgres) -> Iterator[None]:
    """Occupy every connection until the block ends."""
    other_database_url = urlsplit(postgres.url)._replace(path="/template1").geturl()
    with contextlib.ExitStack() as stack:
        admin = stack.enter_context(psycopg.connect(other_database_url, autocommit=True))
        # Keep the service from connecting first.
        admin.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = 'postgres'"
        )
        with contextlib.suppress(psycopg.OperationalError):  # sorry, too many clients already
            for _ in range(MAX_CONNECTIONS):
                stack.enter_context(psycopg.connect(other_database_url))
        admin.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
        yield


def check(load: Load, outage_began: float, outage_ended: float, limit: float) -> dict[str, Any]:
    """Check the outcomes against the contract and return the figures."""
    unavailable = [outcome for outcome in load.outcomes if outcome.status == 503]
    health = load.prober.outcomes
    figures = {
        "503": len(unavailable),
        **load.figures(),
        "slowest s": round(max(outcome.seconds for outcome in load.outcomes), 2),
        "slowest /health s": round(max(outcome.seconds for outcome in health), 2),
        "recovered after s": round(
            max(0.0, *(outcome.ended_at - outage_ended for outcome in unavailable)), 2
        ),
    }
    assert set(load.statuses()) == {200, 201, 503}, figures
    assert all(int(outcome.headers["Retry-After"]) > 0 for outcome in unavailable)
    assert all(outcome.ended_at > outage_began for outcome in unavailable)
    assert {outcome.status for outcome in health} == {200}
    assert (figures["lost"], figures["duplicated"]) == (0, 0), figures
    assert figures["slowest s"] < limit, figures
    assert figures["slowest /health s"] < HEALTH_SECONDS, figures
    assert figures["recovered after s"] < RECOVERY_SECONDS, figures
    return figures


@pytest.mark.parametrize(
    ("outage", "limit"),
    [
        (killed, RESPONSE_SECONDS),
        (restarted, RESPONSE_SECONDS),
        (frozen, FROZEN_SECONDS),
        (read_only, RESPONSE_SECONDS),
        (out_of_connections, RESPONSE_SECONDS),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_outage_of_the_database(
    server: LiveServer, postgres: Postgres, figures: dict[str, Any], outage: Outage, limit: float
) -> None:
    """An outage must cause 503s with ``Retry-After``, but no lost task and no lasting failure."""
    with Load(server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        began = time.monotonic()
        with outage(postgres):
            time.sleep(FREEZE_SECONDS if outage is frozen else OUTAGE_SECONDS)
        ended = time.monotonic()
        time.sleep(1)
        sent = len(load.outcomes)
        load.wait_for(lambda: len(load.outcomes) > sent + 50)

    figures.update(check(load, began, ended, limit))
    assert {outcome.status for outcome in load.outcomes[-50:]} == {200, 201}


def test_a_start_without_the_database(
    project: Path, postgres: Postgres, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """The service must start without its database, and serve as soon as the database is up."""
    began = time.monotonic()
    postgres.stop()
    try:
        stack = contextlib.ExitStack()
        server = stack.enter_context(serving(project, tmp_path / "server.log"))
        load = stack.enter_context(Load(server))
        load.wait_for(lambda: load.statuses()[503] >= 50)
        with server.client() as client:
            assert client.get("/health/ready").status_code == 503
    finally:
        postgres.start()
    ended = time.monotonic()
    with stack:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        load.stop()
        with server.client() as client:
            assert client.get("/health/ready").status_code == 200
        figures.update(check(load, began, ended, RESPONSE_SECONDS))


def test_readiness_with_a_frozen_database(server: LiveServer, postgres: Postgres) -> None:
    """The readiness check must fail fast, even if the database does not respond."""
    with server.client() as client:
        before = client.get("/health/ready")
        with frozen(postgres):
            during = client.get("/health/ready")
        after = client.get("/health/ready")

    assert [before.status_code, during.status_code, after.status_code] == [200, 503, 200]
    assert during.elapsed.total_seconds() < 4
