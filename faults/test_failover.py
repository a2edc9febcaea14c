"""A standby takes over under load (docs/contract.md, "Concurrency").

Two servers with synchronous streaming replication: a commit waits until both have it on disk.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from faults.load import Load
from faults.postgres import Postgres, private_postgres
from todo_project.postgresql.connection_pool import CONNECTIONS
from todo_project.tests.live_server import START_SECONDS, LiveServer, serving
from todo_project.tests.waiting import wait_until

RECOVERY_SECONDS = 10.0
FROZEN_SECONDS = 15.0
REPLICATION = "SELECT sync_state, state FROM pg_stat_replication"
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class Cluster(NamedTuple):
    """A primary, its synchronous standby, and the service that uses them."""

    primary: Postgres
    standby: Postgres
    server: LiveServer


@pytest.fixture
def cluster(
    project: Path, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """Serve with a URL that names both servers, the primary first."""
    # so that some writes are in progress at any moment
    monkeypatch.setattr("faults.load.PAUSE_SECONDS", 0.02)
    with private_postgres(postgres) as primary:
        primary.start()
        with private_postgres(primary) as standby:
            standby.follow(primary)
            standby.start()
            primary.change("synchronous_standby_names = '*'")
            wait_until(lambda: primary.execute(REPLICATION) == [("sync", "streaming")])
            ports = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
            url = f"postgresql://postgres@{ports}/postgres?target_session_attrs=read-write"
            with serving(project, tmp_path / "log", NEON_DATABASE_URL=url) as server:
                yield Cluster(primary, standby, server)
            primary.kill_if_running()


def readiness(server: LiveServer) -> int:
    """Return the status of ``/health/ready``."""
    with server.client() as client:
        return client.get("/health/ready").status_code


def write_again(load: Load) -> None:
    """Wait until each user has created another task."""
    before = [len(user.acknowledged) for user in load.users]

    def have_written() -> bool:
        now = [len(user.acknowledged) for user in load.users]
        return all(many > few for many, few in zip(now, before, strict=True))

    load.wait_for(have_written, START_SECONDS)


def check(load: Load, promoted: float) -> dict[str, Any]:
    """Check that writes were possible soon after the promotion; return the figures."""
    unavailable = [outcome for outcome in load.outcomes if outcome.status == 503]
    since = [outcome for outcome in load.outcomes if outcome.sent_at > promoted]
    writes = [outcome.ended_at for outcome in since if outcome.status == 201]
    statuses = set(load.statuses())
    figures = {
        "503": len(unavailable),
        **load.figures(),
        "slowest s": round(max(outcome.seconds for outcome in load.outcomes), 2),
        "first write after s": round(min(writes) - promoted, 2),
        "last 503 after s": round(max(each.ended_at for each in unavailable) - promoted, 2),
    }
    assert statuses == {200, 201, 503}, figures
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert (figures["lost"], figures["duplicated"]) == (0, 0), figures
    assert figures["last 503 after s"] < RECOVERY_SECONDS, figures
    return figures


@pytest.mark.parametrize("fail", [Postgres.kill, Postgres.freeze], ids=["killed", "frozen"])
def test_a_failover(
    cluster: Cluster, figures: dict[str, Any], fail: Callable[[Postgres], None]
) -> None:
    """The service must find the new primary, even if the old one neither answers nor refuses."""
    with Load(cluster.server, users=2 * CONNECTIONS) as many:  # leaves more idle connections
        many.wait_for(lambda: many.statuses()[201] >= 100)
    with Load(cluster.server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 200)
        fail(cluster.primary)
        if fail is Postgres.kill:
            load.wait_for(lambda: load.statuses()[503] >= 10)
        promoted = time.monotonic()
        cluster.standby.promote()
        write_again(load)
        wait_until(lambda: readiness(cluster.server) == 200, RECOVERY_SECONDS)

    figures.update(check(load, promoted))
    assert figures["slowest s"] < FROZEN_SECONDS


def test_a_switchover(cluster: Cluster, figures: dict[str, Any]) -> None:
    """The service must leave a server that becomes read-only, although that keeps answering."""
    old, new, server = cluster
    with Load(server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 200)
        old.change("default_transaction_read_only = on")
        load.wait_for(lambda: load.statuses()[503] >= 10)
        assert readiness(server) == 503
        promoted = time.monotonic()
        new.promote()
        write_again(load)
        wait_until(lambda: old.execute(SESSIONS) == [(0,)], RECOVERY_SECONDS)
        wait_until(lambda: readiness(server) == 200, RECOVERY_SECONDS)
        old.stop()
        old.follow(new)
        old.start()
        sent = time.monotonic()
        write_again(load)

    since = {outcome.status for outcome in load.outcomes if outcome.sent_at > sent}
    figures.update(check(load, promoted))
    assert since == {200, 201}


def test_readiness_follows_a_switchover_without_requests(cluster: Cluster) -> None:
    """A balancer sends no request before the instance is ready: the probe itself must reconnect."""
    old, new, server = cluster
    assert readiness(server) == 200
    old.change("default_transaction_read_only = on")
    wait_until(lambda: readiness(server) == 503)

    new.promote()

    wait_until(lambda: readiness(server) == 200, RECOVERY_SECONDS)


def test_readiness_follows_a_silent_failover_without_requests(cluster: Cluster) -> None:
    """A probe has two seconds, as many as a host that does not answer takes."""
    old, new, server = cluster
    assert readiness(server) == 200
    old.freeze()

    new.promote()

    wait_until(lambda: readiness(server) == 200, RECOVERY_SECONDS)
