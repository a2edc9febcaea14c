"""Clients that are slow, broken or hostile."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from conftest import mint
from faults.load import Load
from faults.observing import workers
from faults.postgres import Postgres
from todo_project.tests.live_server import LiveServer, serving

SLOW_CLIENTS = 200


@pytest.fixture(scope="module")
def alone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with one worker process, which has nobody to help it."""
    log = tmp_path_factory.mktemp("clients") / "server.log"
    with serving(project, log, WEB_CONCURRENCY="1") as live:
        yield live


def drip(wires: list[socket.socket], requests: list[bytes], over: threading.Event) -> None:
    """Send a byte of its request on each connection, every second."""
    position = 0
    while not over.wait(1):
        for number, wire in enumerate(wires):
            wire.sendall(requests[number % len(requests)][position : position + 1])
        position += 1


def test_slow_clients_do_not_starve_the_others(alone: LiveServer, figures: dict[str, Any]) -> None:
    """200 clients that send a byte a second must not be felt by those who do not."""
    head = f"/api/slow/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {mint('slow')}"
    slow_head = f"GET {head}"
    slow_body = f"POST {head}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    over = threading.Event()
    with ExitStack() as opened:
        wires = [
            opened.enter_context(socket.create_connection(("127.0.0.1", alone.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for wire in wires[1::2]:
            wire.sendall(slow_body.encode())
        dripping = threading.Thread(
            target=drip, args=(wires, [slow_head.encode(), b'{"title": "x"}' + b" " * 900], over)
        )
        dripping.start()
        time.sleep(7)  # more than gunicorn waits for a first byte
        with Load(alone) as load:
            time.sleep(8)
        over.set()
        dripping.join()

    slowest = max(outcome.seconds for outcome in load.outcomes)
    health = max(outcome.seconds for outcome in load.prober.outcomes)
    figures.update(
        load.figures(), **{"slowest s": round(slowest, 2), "/health s": round(health, 2)}
    )
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert health < 3


def test_clients_that_do_not_close_hold_nobody_up(
    alone: LiveServer, figures: dict[str, Any]
) -> None:
    """Who was told that the connection is closed may leave it open as long as they like."""
    leaving = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with ExitStack() as left_open:
        wires = [
            left_open.enter_context(socket.create_connection(("127.0.0.1", alone.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for wire in wires:
            wire.sendall(leaving)
        with Load(alone) as load:
            time.sleep(5)

    health = max(outcome.seconds for outcome in load.prober.outcomes)
    figures.update(load.figures(), **{"/health s": round(health, 2)})
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert health < 3


def test_clients_that_do_not_read_hold_no_connection(
    alone: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """An answer that nobody fetches must not keep the database from the others."""
    postgres.execute(
        "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"
        " SELECT 'hoarder', 'x', repeat('\U0001f4cc', 1000), false, now(), now()"
        " FROM generate_series(1, 2000)"
    )
    request_bytes = (
        "GET /api/hoarder/tasks HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {mint('hoarder')}\r\n\r\n"
    )
    with ExitStack() as opened:
        for _ in range(20):  # more than a process has connections
            wire = opened.enter_context(socket.socket())
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.connect(("127.0.0.1", alone.port))
            wire.sendall(request_bytes.encode())
            wire.recv(1)  # it has begun to answer
        with Load(alone) as load:
            load.wait_for(lambda: load.statuses()[201] >= 20)

    figures.update(load.figures())
    assert set(load.statuses()) == {200, 201}


GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /api/x/tasks HTTP/1.1\r\nHost: localhost\r\n"
BROKEN = {
    "10,000 headers": GET + b"X-Flood: 1\r\n" * 10_000 + b"\r\n",
    "a header of 1 MB": GET + b"X-Flood: " + b"x" * 1_000_000 + b"\r\n\r\n",
    "a header name of 1 MB": GET + b"x" * 1_000_000,
    "a path of 100 kB": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a first line without end": b"G" * 1_000_000,
    "line breaks only": b"\r\n" * 1_000,
    "noise": bytes(range(256)) * 40,
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /health\r\n\r\n",
    "a header without colon": GET + b"Broken\r\n\r\n",
    "a header without name": GET + b": x\r\n\r\n",
    "a blank before the colon": GET + b"Host : x\r\n\r\n",
    "a folded header": GET + b"X-Long: a\r\n b\r\n\r\n",
    "NUL in a header": GET + b"X-Nul: a\x00b\r\n\r\n",
    "two hosts": GET + b"Host: elsewhere\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a length and chunks": POST
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a length in words": POST + b"Content-Length: two\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a chunk without size": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", BROKEN.values(), ids=BROKEN.keys())
def test_broken_http_is_refused_and_the_server_lives(
    alone: LiveServer, request_bytes: bytes
) -> None:
    """What is no request must be a 4xx, or a closed connection, and hurt nobody else."""
    before = workers(alone)
    with socket.create_connection(("127.0.0.1", alone.port), timeout=10) as wire:
        answer = b""
        with suppress(OSError):  # it may hang up before it has read everything
            wire.sendall(request_bytes)
            wire.shutdown(socket.SHUT_WR)
            while part := wire.recv(65536):
                answer += part

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    with alone.client() as client:
        healthy = client.get("/health")
    assert (healthy.status_code, healthy.elapsed.total_seconds() < 3) == (200, True)
    assert workers(alone) == before


def test_many_broken_requests_at_once_leave_the_server_alive(
    alone: LiveServer, figures: dict[str, Any]
) -> None:
    """A flood of nonsense must not be felt by the others."""
    before, over, sent = workers(alone), threading.Event(), [0]

    def flood() -> None:
        while not over.is_set():
            for request_bytes in BROKEN.values():
                with (
                    suppress(OSError),
                    socket.create_connection(("127.0.0.1", alone.port), timeout=5) as wire,
                ):
                    wire.sendall(request_bytes[:20_000])
                sent[0] += 1

    threads = [threading.Thread(target=flood) for _ in range(4)]
    with Load(alone, users=4) as load:
        for thread in threads:
            thread.start()
        time.sleep(5)
        over.set()
        for thread in threads:
            thread.join()

    figures.update(load.figures(), **{"broken requests": sent[0]})
    assert set(load.statuses()) == {200, 201}
    assert workers(alone) == before


def _pss_kib(pid: int) -> int:
    rollup = (Path("/proc") / str(pid) / "smaps_rollup").read_text()
    return int(rollup.partition("\nPss_Anon:")[2].split()[0])


def test_memory_is_flat(
    project: Path, tmp_path: Path, figures: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process must need no more memory after many requests than after some."""
    monkeypatch.setattr("faults.load.PAUSE_SECONDS", 0)
    requests, sizes = [2_000, 11_000, 20_000], []
    with serving(project, tmp_path / "server.log", WEB_CONCURRENCY="1") as server:
        [worker] = workers(server)
        with Load(server, users=8) as load:
            for count in requests:
                load.wait_for(lambda: len(load.outcomes) >= count, 180)  # noqa: B023
                sizes.append(_pss_kib(worker))
        figures.update(load.figures(), **{"PSS MiB": [round(size / 1024, 1) for size in sizes]})
    assert set(load.statuses()) == {200, 201}
    assert sizes[2] - sizes[0] < 8 * 1024
    assert sizes[2] - sizes[1] < 3 * 1024
