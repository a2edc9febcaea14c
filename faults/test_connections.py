"""The database or a pooler closes connections under load (docs/contract.md, "Concurrency")."""

import time
from typing import Any

from faults.load import Load, User
from faults.postgres import Postgres
from todo_project.postgresql.connection_pool import CONNECTIONS
from todo_project.tests.live_server import LiveServer


def test_connections_are_closed_under_reads(
    server: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """A read must not fail because its connection was closed."""
    with Load(server, step=User.read) as load:
        for _ in range(20):
            time.sleep(0.25)
            postgres.terminate_other_connections()

    figures.update(sent=len(load.outcomes), closed=20, **{"200": load.statuses()[200]})
    errors = [line for line in server.log.splitlines() if '"level":"ERROR"' in line]
    assert (set(load.statuses()), errors) == ({200}, [])
    assert {outcome.status for outcome in load.prober.outcomes} == {200}


def test_connections_are_closed_between_writes(server: LiveServer, postgres: Postgres) -> None:
    """Each write must be sent on an open connection."""
    user = User(server, f"writer-{time.monotonic_ns()}")
    for _ in range(20):
        user.create()
        postgres.terminate_other_connections()

    titles = user.titles()
    user.close()

    assert len(titles) == 20
    assert [outcome.status for outcome in user.outcomes[:20]] == [201] * 20


def test_connections_stay_below_the_limit(
    server: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """Many users must share 16 connections per process (docs/decisions/0009-connection-pool.md)."""
    with Load(server, users=60) as load:
        most = 0
        for _ in range(20):
            time.sleep(0.2)
            [(count,)] = postgres.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            most = max(most, count)

    figures.update(load.figures(), connections=most)
    assert set(load.statuses()) == {200, 201}
    assert most <= 2 * CONNECTIONS
