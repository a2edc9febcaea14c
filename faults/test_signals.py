"""Processes of ours end, and others take over, while people work (contract.md "Concurrency")."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from faults.load import NO_ANSWER, Load, Outcome, User
from faults.observing import wait_for_locks, workers
from faults.postgres import Postgres
from todo_project.tests.live_server import LiveServer, serving

RECOVERY_SECONDS = 10.0
STOP_SECONDS = 10.0  # what Docker gives


def test_a_worker_is_killed(server: LiveServer, figures: dict[str, Any]) -> None:
    """The death of a worker must cost what it had in hand, and nothing that was acknowledged."""
    with Load(server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
        before = workers(server)
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        load.wait_for(lambda: len(workers(server) - before) == 1)
        time.sleep(2)

    failed = [outcome for outcome in load.outcomes if outcome.status not in (200, 201)]
    recovered = max(0.0, *(outcome.ended_at - killed for outcome in failed))
    figures.update(load.figures(), failed=len(failed), **{"recovered after s": round(recovered, 2)})
    assert {outcome.status for outcome in failed} <= {NO_ANSWER}
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert recovered < RECOVERY_SECONDS
    assert server.process.poll() is None


def test_told_to_stop(
    project: Path, postgres: Postgres, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """What was begun must be answered, and the exit code be 0.

    Half of the users are held up by a lock, so that their requests are under way for certain. Of
    the others' the log tells which ones were handled: each of these was answered.
    """
    with serving(project, tmp_path / "server.log") as server:
        held = [User(server, f"held-{time.monotonic_ns()}-{number}") for number in range(8)]
        with Load(server, users=8, step=User.read) as load:
            load.wait_for(lambda: load.statuses()[200] >= 50)
            with psycopg.connect(postgres.url) as blocker:
                blocker.execute("LOCK TABLE task IN EXCLUSIVE MODE")  # reads go on
                threads = [threading.Thread(target=user.create) for user in held]
                for thread in threads:
                    thread.start()
                wait_for_locks(postgres, len(held))
                stopped = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                time.sleep(1)
            for thread in threads:
                thread.join()
            for user in held:
                user.close()
            code = server.stop()
            seconds = time.monotonic() - stopped

    handled = [outcome for outcome in load.outcomes if f'"{outcome.request_id}"' in server.log]
    unanswered = [outcome for outcome in handled if outcome.status == NO_ANSWER]
    figures.update(
        {
            "sent": len(load.outcomes) + len(held),
            "handled": len(handled) + len(held),
            "of these not answered": len(unanswered),
            "exit code": code,
            "stopped after s": round(seconds, 2),
        }
    )
    assert [user.outcomes[0].status for user in held] == [201] * len(held)
    assert unanswered == []
    assert code == 0
    assert seconds < STOP_SECONDS


def test_an_idle_client_does_not_hold_up_the_end(project: Path, tmp_path: Path) -> None:
    """A connection that sends nothing must not delay a deployment until it is killed."""
    with serving(project, tmp_path / "server.log") as server, server.client() as client:
        client.get("/health")  # and stays connected
        began = time.monotonic()

        assert server.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS


def test_told_to_reload(server: LiveServer, figures: dict[str, Any]) -> None:
    """New workers must take over without a request that fails.

    Every user keeps a connection. The one thing that a client must expect of HTTP is that a
    connection is closed that it was about to use again; it may then repeat what changes nothing.
    """
    with Load(server) as load:
        for _ in range(2):
            before, sent = workers(server), load.statuses()[201]
            os.kill(server.process.pid, signal.SIGHUP)
            load.wait_for(lambda: not workers(server) & before, 60)  # noqa: B023 - called at once
            load.wait_for(lambda: load.statuses()[201] >= sent + 50)  # noqa: B023

    failed = [outcome for outcome in load.outcomes if outcome.status not in (200, 201)]
    repeatable = [outcome for outcome in failed if _may_be_repeated(outcome)]
    figures.update(load.figures(), failed=len(failed), repeatable=len(repeatable))
    assert [outcome for outcome in failed if outcome not in repeatable] == []
    assert (figures["lost"], figures["duplicated"]) == (0, 0)


def _may_be_repeated(outcome: Outcome) -> bool:
    return (outcome.status, outcome.method, outcome.reused) == (NO_ANSWER, "GET", True)
