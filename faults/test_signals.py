"""Server processes end and others take over under load (docs/contract.md, "Concurrency")."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from faults.load import NO_RESPONSE, Load, Outcome, User
from faults.observing import wait_for_locks, workers
from faults.postgres import Postgres
from todo_project.tests.live_server import LiveServer, serving

RECOVERY_SECONDS = 10.0
STOP_SECONDS = 10.0  # Docker's default


def test_sigkill_of_a_worker(server: LiveServer, figures: dict[str, Any]) -> None:
    """Only the killed worker's requests may fail, and no acknowledged task may be lost."""
    with Load(server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        before = workers(server)
        os.kill(min(before), signal.SIGKILL)
        killed = time.monotonic()
        load.wait_for(lambda: len(workers(server) - before) == 1)
        time.sleep(2)

    failed = [outcome for outcome in load.outcomes if outcome.status not in (200, 201)]
    recovered = max(0.0, *(outcome.ended_at - killed for outcome in failed))
    figures.update(load.figures(), failed=len(failed), **{"recovered after s": round(recovered, 2)})
    assert {outcome.status for outcome in failed} <= {NO_RESPONSE}
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert recovered < RECOVERY_SECONDS
    assert server.process.poll() is None


def test_sigterm(
    project: Path, postgres: Postgres, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """Requests in progress must get a response, and the exit code must be 0.

    A lock blocks half of the users, so that their requests are certainly in progress. For the other
    half, each request in the server's log must have a response.
    """
    with serving(project, tmp_path / "server.log") as server:
        blocked = [User(server, f"blocked-{time.monotonic_ns()}-{number}") for number in range(8)]
        with Load(server, users=8, step=User.read) as load:
            load.wait_for(lambda: load.statuses()[200] >= 50)
            with psycopg.connect(postgres.url) as blocker:
                blocker.execute("LOCK TABLE task IN EXCLUSIVE MODE")  # reads continue
                threads = [threading.Thread(target=user.create) for user in blocked]
                for thread in threads:
                    thread.start()
                wait_for_locks(postgres, len(blocked))
                stopped = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                time.sleep(1)
            for thread in threads:
                thread.join()
            for user in blocked:
                user.close()
            code = server.stop()
            seconds = time.monotonic() - stopped

    handled = [outcome for outcome in load.outcomes if f'"{outcome.request_id}"' in server.log]
    unanswered = [outcome for outcome in handled if outcome.status == NO_RESPONSE]
    figures.update(
        {
            "sent": len(load.outcomes) + len(blocked),
            "handled": len(handled) + len(blocked),
            "unanswered": len(unanswered),
            "exit code": code,
            "stopped after s": round(seconds, 2),
        }
    )
    assert [user.outcomes[0].status for user in blocked] == [201] * len(blocked)
    assert unanswered == []
    assert code == 0
    assert seconds < STOP_SECONDS


def test_an_idle_client_does_not_delay_the_shutdown(project: Path, tmp_path: Path) -> None:
    """An idle connection must not delay a shutdown."""
    with serving(project, tmp_path / "server.log") as server, server.client() as client:
        client.get("/health")  # the client keeps its connection open
        began = time.monotonic()

        assert server.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS


def test_sighup(server: LiveServer, figures: dict[str, Any]) -> None:
    """New workers must take over without a failed request.

    Every user keeps a connection. A server may close an idle connection just as the client reuses
    it; HTTP then lets the client retry idempotent requests.
    """
    with Load(server) as load:
        for _ in range(2):
            before, sent = workers(server), load.statuses()[201]
            os.kill(server.process.pid, signal.SIGHUP)
            load.wait_for(lambda: not workers(server) & before, 60)  # noqa: B023 - called at once
            load.wait_for(lambda: load.statuses()[201] >= sent + 50)  # noqa: B023

    failed = [outcome for outcome in load.outcomes if outcome.status not in (200, 201)]
    retryable = [outcome for outcome in failed if _may_be_retried(outcome)]
    figures.update(load.figures(), failed=len(failed), retryable=len(retryable))
    assert [outcome for outcome in failed if outcome not in retryable] == []
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


def _may_be_retried(outcome: Outcome) -> bool:
    return (outcome.status, outcome.method, outcome.reused) == (NO_RESPONSE, "GET", True)
