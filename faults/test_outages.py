"""The database is away, and comes back, while people work (docs/contract.md, "Concurrency")."""

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

ANSWER_SECONDS = 6.0
FROZEN_SECONDS = 15.0
HEALTH_SECONDS = 1.0
RECOVERY_SECONDS = 10.0
OUTAGE_SECONDS = 3.0
FREEZE_SECONDS = 6.0  # long enough for a request to run into its deadline

Outage = Callable[[Postgres], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def killed(postgres: Postgres) -> Iterator[None]:
    """Kill -9 it, and start it again."""
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


@contextlib.contextmanager
def restarted(postgres: Postgres) -> Iterator[None]:
    """Stop it properly, and start it again."""
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextlib.contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """Stop its processes where they are: connections stay open and nobody answers."""
    postgres.freeze()
    try:
        yield
    finally:
        postgres.thaw()


@contextlib.contextmanager
def read_only(postgres: Postgres) -> Iterator[None]:
    """Let it refuse writes, as a standby does."""
    postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    postgres.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        postgres.execute("ALTER SYSTEM RESET default_transaction_read_only")
        postgres.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def out_of_connections(postgres: Postgres) -> Iterator[None]:
    """Take every connection that it has."""
    elsewhere = urlsplit(postgres.url)._replace(path="/template1").geturl()
    with contextlib.ExitStack() as taken:
        admin = taken.enter_context(psycopg.connect(elsewhere, autocommit=True))
        # Nobody may be quicker than we are
        admin.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = 'postgres'"
        )
        with contextlib.suppress(psycopg.OperationalError):  # sorry, too many clients already
            for _ in range(MAX_CONNECTIONS):
                taken.enter_context(psycopg.connect(elsewhere))
        admin.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
        yield


def check(load: Load, outage_began: float, outage_ended: float, limit: float) -> dict[str, Any]:
    """Hold what became of the requests against the promises, and return the figures."""
    refused = [outcome for outcome in load.outcomes if outcome.status == 503]
    health = load.prober.outcomes
    figures = {
        "503": len(refused),
        **load.figures(),
        "slowest s": round(max(outcome.seconds for outcome in load.outcomes), 2),
        "slowest /health s": round(max(outcome.seconds for outcome in health), 2),
        "recovered after s": round(
            max(0.0, *(outcome.ended_at - outage_ended for outcome in refused)), 2
        ),
    }
    assert set(load.statuses()) == {200, 201, 503}, figures
    assert all(int(outcome.headers["Retry-After"]) > 0 for outcome in refused)
    assert all(outcome.ended_at > outage_began for outcome in refused)
    assert {outcome.status for outcome in health} == {200}
    assert (figures["lost"], figures["duplicated"]) == (0, 0), figures
    assert figures["slowest s"] < limit, figures
    assert figures["slowest /health s"] < HEALTH_SECONDS, figures
    assert figures["recovered after s"] < RECOVERY_SECONDS, figures
    return figures


@pytest.mark.parametrize(
    ("outage", "limit"),
    [
        (killed, ANSWER_SECONDS),
        (restarted, ANSWER_SECONDS),
        (frozen, FROZEN_SECONDS),
        (read_only, ANSWER_SECONDS),
        (out_of_connections, ANSWER_SECONDS),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_database_is(
    server: LiveServer, postgres: Postgres, figures: dict[str, Any], outage: Outage, limit: float
) -> None:
    """An outage must look like "try again", lose nothing and end by itself."""
    with Load(server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        began = time.monotonic()
        with outage(postgres):
            time.sleep(FREEZE_SECONDS if outage is frozen else OUTAGE_SECONDS)
        ended = time.monotonic()
        time.sleep(1)
        last = len(load.outcomes)
        load.wait_for(lambda: len(load.outcomes) > last + 50)

    figures.update(check(load, began, ended, limit))
    assert {outcome.status for outcome in load.outcomes[-50:]} == {200, 201}


def test_the_database_is_down_at_start(
    project: Path, postgres: Postgres, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """The service must start without its database, and serve as soon as it is there."""
    began = time.monotonic()
    postgres.stop()
    try:
        live = contextlib.ExitStack()
        server = live.enter_context(serving(project, tmp_path / "server.log"))
        load = live.enter_context(Load(server))
        load.wait_for(lambda: load.statuses()[503] >= 50)
        with server.client() as client:
            assert client.get("/health/ready").status_code == 503
    finally:
        postgres.start()
    ended = time.monotonic()
    with live:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        load.stop()
        with server.client() as client:
            assert client.get("/health/ready").status_code == 200
        figures.update(check(load, began, ended, ANSWER_SECONDS))


def test_readiness_of_a_frozen_database(server: LiveServer, postgres: Postgres) -> None:
    """A balancer must be told quickly, whatever the database does."""
    with server.client() as client:
        before = client.get("/health/ready")
        with frozen(postgres):
            within = client.get("/health/ready")
        after = client.get("/health/ready")

    assert [before.status_code, within.status_code, after.status_code] == [200, 503, 200]
    assert within.elapsed.total_seconds() < 4
