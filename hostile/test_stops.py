"""The server stops, reloads or waits for its database while clients are connected.

Source: docs/operations.md, "Stopping and reloading" and "Outages".
"""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from faults.load import Load, User
from faults.observing import wait_for_locks, workers
from faults.postgres import Postgres
from hostile.wire import Client, authorized, crowd
from todo_project.tests.live_server import LiveServer, serving

STOP_SECONDS = 10.0  # Docker's default
HEALTH_SECONDS = 1.0
UNAVAILABLE_SECONDS = 7.0
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIST = b"GET /api/waiting/tasks HTTP/1.1\r\n" + authorized("waiting") + b"\r\n"


def test_sigterm(
    project: Path, postgres: Postgres, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """Whoever has connected before SIGTERM must get a response; idle clients must not delay it."""
    with serving(project, tmp_path / "server.log") as server:
        address = "127.0.0.1", server.port
        user = User(server, f"blocked-{time.monotonic_ns()}")
        with (
            Client(address) as idle,
            Client(address) as late,
            Client(address) as half,
            crowd(address, 50),
            psycopg.connect(postgres.url) as blocker,
        ):
            idle.send(GET)
            assert idle.reply().status == 200
            half.send(GET[:20])
            blocker.execute("LOCK TABLE task IN EXCLUSIVE MODE")  # reads continue
            blocked = threading.Thread(target=user.create)
            blocked.start()
            wait_for_locks(postgres, 1)
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            late.send(GET)
            half.send(GET[20:])
            statuses = [late.reply().status, half.reply().status]
            time.sleep(0.5)
            blocker.rollback()
            blocked.join()
            code = server.stop()
            seconds = time.monotonic() - began
        user.close()
    statuses.append(user.outcomes[0].status)
    figures.update({"statuses": statuses, "exit code": code, "stopped after s": round(seconds, 2)})
    assert statuses == [200, 200, 201]
    assert code == 0
    assert seconds < STOP_SECONDS


def test_sigterm_with_clients_that_never_finish(
    project: Path, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """Silent clients, half requests and unread responses must not delay the end."""
    with serving(project, tmp_path / "server.log") as server:
        address = "127.0.0.1", server.port
        post = LIST.replace(b"GET", b"POST")[:-2] + b"Content-Length: 900\r\n\r\n"
        with crowd(address, 100), crowd(address, 100, GET[:20]), crowd(address, 100, post):
            began = time.monotonic()
            code = server.stop()
            seconds = time.monotonic() - began
    figures.update({"exit code": code, "stopped after s": round(seconds, 2)})
    assert code == 0
    assert seconds < STOP_SECONDS


def test_sighup(server: LiveServer, figures: dict[str, Any]) -> None:
    """A reload must not fail a single write, even on connections that are kept."""
    reloads = 3
    with Load(server, step=User.create) as load:
        for _ in range(reloads):
            before, sent = workers(server), load.statuses()[201]
            os.kill(server.process.pid, signal.SIGHUP)
            load.wait_for(lambda: not workers(server) & before, 60)  # noqa: B023 - called at once
            load.wait_for(lambda: load.statuses()[201] >= sent + 50)  # noqa: B023
    reused = sum(outcome.reused for outcome in load.outcomes)
    failed = len(load.outcomes) - load.statuses()[201]
    figures.update(load.figures(), reloads=reloads, reused=reused, failed=failed)
    assert failed == 0
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert reused > len(load.outcomes) / 2


def test_many_requests_wait_for_a_frozen_database(
    server: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """More requests than database connections must all get their 503, and /health its 200."""
    address = "127.0.0.1", server.port
    with Load(server) as load:  # opens connections to the database
        load.wait_for(lambda: load.statuses()[201] >= 20)
    clients = [Client(address) for _ in range(60)]
    postgres.freeze()
    try:
        began = time.monotonic()
        for client in clients:
            client.send(LIST)
        health = []
        for _ in range(20):
            with Client(address) as prober:
                asked = time.monotonic()
                prober.send(GET)
                assert prober.reply().status == 200
                health.append(time.monotonic() - asked)
            time.sleep(0.1)
        statuses = {client.reply().status for client in clients}
        seconds = time.monotonic() - began
    finally:
        postgres.thaw()
        for client in clients:
            client.sock.close()
    figures.update(
        {"waiting": len(clients), "statuses": sorted(statuses), "last s": round(seconds, 2)}
        | {"slowest /health ms": round(max(health) * 1000)}
    )
    assert statuses == {503}
    assert seconds < UNAVAILABLE_SECONDS
    assert max(health) < HEALTH_SECONDS
    with Client(address) as client:
        client.send(LIST)
        assert client.reply().status == 200
