"""Thousands of silent and slow clients (docs/operations.md, "Slow clients")."""

import resource
import time
from pathlib import Path
from typing import Any

from faults.load import Load
from faults.observing import anonymous_kib, open_files, threads, workers
from hostile.decent_clients import check, of_decent_clients
from hostile.wire import SECONDS, Client, authorized, crowd, dripping
from todo_project.server.lanes import THREADS
from todo_project.tests.live_server import LiveServer, serving
from todo_project.tests.waiting import wait_until

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_more_silent_clients_than_the_soft_limit_of_open_files(
    project: Path, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """The soft limit of a shell, 1,024 open files, must be raised to the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with serving(project, tmp_path / "server.log", open_files=f"1024:{hard}") as server:
        before = workers(server)
        with Load(server) as load:
            with crowd(("127.0.0.1", server.port), 1600) as silent:
                time.sleep(5)
                closed = silent.closed()
            load.stop()
        figures.update(of_decent_clients(load), silent=1600, closed=closed)
        assert workers(server) == before
    check(load)
    assert closed == 0


def test_more_silent_clients_than_the_hard_limit_of_open_files(
    project: Path, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """Silent clients must make room for others; without them, the server must be as before."""
    with serving(project, tmp_path / "server.log", open_files="256:256") as server:
        address = "127.0.0.1", server.port
        before = workers(server)
        with Load(server) as load:
            with crowd(address, 600) as silent:
                time.sleep(5)
                closed = silent.closed()
            began = time.monotonic()
            with Client(address) as client:
                client.send(GET)
                assert client.reply().status == 200
            recovered = time.monotonic() - began
            load.stop()
        figures.update(
            of_decent_clients(load),
            silent=600,
            closed=closed,
            **{"recovered after s": round(recovered, 2)},
        )
        assert workers(server) == before
        assert "Too many open files" not in server.log
    check(load)
    assert closed >= 600 - 2 * 256
    assert recovered < 2


def test_new_silent_clients_all_the_time(
    project: Path, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """Silent clients that connect again and again must push each other out, and nobody else."""
    with serving(project, tmp_path / "server.log", open_files="256:256") as server:
        address = "127.0.0.1", server.port
        before, opened = workers(server), 0
        with Load(server) as load:
            ends_at = time.monotonic() + 5
            while time.monotonic() < ends_at:
                with crowd(address, 400):
                    opened += 400
                    time.sleep(0.5)
            load.stop()
        figures.update(of_decent_clients(load), silent=opened)
        assert workers(server) == before
    check(load)


def test_silent_and_slow_clients(server: LiveServer, figures: dict[str, Any]) -> None:
    """2,000 silent clients and 300 slow ones must cost little, and must not slow down others."""
    address = "127.0.0.1", server.port
    head = b"GET /api/slow/tasks HTTP/1.1\r\n" + authorized("slow")
    post = b"POST /api/slow/tasks HTTP/1.1\r\n" + authorized("slow")
    post += b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    processes = workers(server)
    with Load(server) as load:
        load.wait_for(lambda: load.statuses()[201] >= 50)
    before = anonymous_kib(processes)
    with crowd(address, 2000) as silent:
        with Client(address) as client:  # all the others have been accepted before
            client.send(GET)
            assert client.reply().status == 200
        per_client = (anonymous_kib(processes) - before) / 2000
        with (
            crowd(address, 150) as slow_heads,
            crowd(address, 150, post) as slow_bodies,
            dripping([*slow_heads.socks, *slow_bodies.socks], head),
            Load(server) as load,
        ):
            time.sleep(6)
            closed = silent.closed()
            most_threads = max(threads(pid) for pid in processes)
    figures.update(
        of_decent_clients(load),
        silent=2000,
        slow=300,
        closed=closed,
        threads=most_threads,
        **{"KiB per connection": round(per_client, 1)},
    )
    assert workers(server) == processes
    check(load)
    assert most_threads <= THREADS + 5
    assert per_client < 16


def test_recovery(server: LiveServer, figures: dict[str, Any]) -> None:
    """Many clients that disconnect at once must leave nothing behind."""
    address = "127.0.0.1", server.port
    before = {pid: open_files(pid) for pid in workers(server)}
    with crowd(address, 1500), Client(address) as client:
        client.send(GET)
        assert client.reply().status == 200
        during = {pid: open_files(pid) for pid in workers(server)}
    wait_until(
        lambda: all(open_files(pid) <= count + 5 for pid, count in before.items()),
        SECONDS,
        lambda: str({pid: open_files(pid) for pid in before}),
    )
    figures["open files"] = [sum(before.values()), sum(during.values())]
    assert sum(during.values()) >= 1500
