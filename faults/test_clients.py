"""Slow, broken and hostile clients."""

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
from faults.observing import anonymous_kib, workers
from faults.postgres import Postgres
from todo_project.tests.live_server import LiveServer, serving

SLOW_CLIENTS = 200


@pytest.fixture(scope="module")
def single_worker(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with one worker process."""
    log = tmp_path_factory.mktemp("clients") / "server.log"
    with serving(project, log, WEB_CONCURRENCY="1") as live:
        yield live


def drip(connections: list[socket.socket], requests: list[bytes], stopped: threading.Event) -> None:
    """Send one byte of a request per second on each connection."""
    position = 0
    while not stopped.wait(1):
        for number, connection in enumerate(connections):
            with suppress(OSError):  # the server disconnects those that take too long
                connection.sendall(requests[number % len(requests)][position : position + 1])
        position += 1


def test_slow_clients_do_not_starve_the_others(
    single_worker: LiveServer, figures: dict[str, Any]
) -> None:
    """200 clients that send one byte per second must not slow down the others."""
    head = f"/api/slow/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {mint('slow')}"
    slow_head = f"GET {head}"
    slow_body = f"POST {head}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    stopped = threading.Event()
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", single_worker.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for connection in connections[1::2]:
            connection.sendall(slow_body.encode())
        dripper = threading.Thread(
            target=drip,
            args=(connections, [slow_head.encode(), b'{"title": "x"}' + b" " * 900], stopped),
        )
        dripper.start()
        time.sleep(7)
        with Load(single_worker) as load:
            time.sleep(8)
        stopped.set()
        dripper.join()

    slowest = max(outcome.seconds for outcome in load.outcomes)
    health = max(outcome.seconds for outcome in load.prober.outcomes)
    figures.update(
        load.figures(), **{"slowest s": round(slowest, 2), "/health s": round(health, 2)}
    )
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert health < 3


def test_clients_that_do_not_close_do_not_block_others(
    single_worker: LiveServer, figures: dict[str, Any]
) -> None:
    """Clients that keep their end open after ``Connection: close`` must not delay the others."""
    request_bytes = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", single_worker.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for connection in connections:
            connection.sendall(request_bytes)
        with Load(single_worker) as load:
            time.sleep(5)

    health = max(outcome.seconds for outcome in load.prober.outcomes)
    figures.update(load.figures(), **{"/health s": round(health, 2)})
    assert set(load.statuses()) == {200, 201}
    assert {outcome.status for outcome in load.prober.outcomes} == {200}
    assert health < 3


def test_clients_that_do_not_read_hold_no_database_connection(
    single_worker: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """An unread response must not occupy a database connection."""
    postgres.execute(
        "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"
        " SELECT 'hoarder', 'x', repeat('\U0001f4cc', 1000), false, now(), now()"
        " FROM generate_series(1, 2000)"
    )
    request_bytes = (
        "GET /api/hoarder/tasks HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {mint('hoarder')}\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(20):  # more than the 16 database connections of the process
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", single_worker.port))
            connection.sendall(request_bytes.encode())
            connection.recv(1)  # the response has started
        with Load(single_worker) as load:
            load.wait_for(lambda: load.statuses()[201] >= 20)

    figures.update(load.figures())
    assert set(load.statuses()) == {200, 201}


GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /api/x/tasks HTTP/1.1\r\nHost: localhost\r\n"
MALFORMED = {
    "10,000 headers": GET + b"X-Flood: 1\r\n" * 10_000 + b"\r\n",
    "a header of 1 MB": GET + b"X-Flood: " + b"x" * 1_000_000 + b"\r\n\r\n",
    "a header name of 1 MB": GET + b"x" * 1_000_000,
    "a path of 100 kB": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an endless first line": b"G" * 1_000_000,
    "line breaks only": b"\r\n" * 1_000,
    "every byte": bytes(range(256)) * 40,
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    "HTTP/2 without negotiation": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown version": b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /health\r\n\r\n",
    "a header without colon": GET + b"Broken\r\n\r\n",
    "a header without name": GET + b": x\r\n\r\n",
    "a space before the colon": GET + b"Host : x\r\n\r\n",
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


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_http_is_rejected(single_worker: LiveServer, request_bytes: bytes) -> None:
    """Malformed HTTP must get a 4xx or a closed connection, and must not affect other clients."""
    before = workers(single_worker)
    with socket.create_connection(("127.0.0.1", single_worker.port), timeout=10) as connection:
        response = b""
        with suppress(OSError):  # the server may close the connection before it has read everything
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                response += part

    assert response == b"" or response.startswith(b"HTTP/1.1 4"), response
    with single_worker.client() as client:
        healthy = client.get("/health")
    assert (healthy.status_code, healthy.elapsed.total_seconds() < 3) == (200, True)
    assert workers(single_worker) == before


def test_a_flood_of_malformed_requests(single_worker: LiveServer, figures: dict[str, Any]) -> None:
    """A flood of malformed requests must not affect other clients."""
    before, stopped, sent = workers(single_worker), threading.Event(), [0]

    def flood() -> None:
        while not stopped.is_set():
            for request_bytes in MALFORMED.values():
                with (
                    suppress(OSError),
                    socket.create_connection(
                        ("127.0.0.1", single_worker.port), timeout=5
                    ) as connection,
                ):
                    connection.sendall(request_bytes[:20_000])
                sent[0] += 1

    threads = [threading.Thread(target=flood) for _ in range(4)]
    with Load(single_worker, users=4) as load:
        for thread in threads:
            thread.start()
        time.sleep(5)
        stopped.set()
        for thread in threads:
            thread.join()

    figures.update(load.figures(), **{"malformed requests": sent[0]})
    assert set(load.statuses()) == {200, 201}
    assert workers(single_worker) == before


def test_memory_does_not_grow(
    project: Path, tmp_path: Path, figures: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process's memory must not grow with the number of requests."""
    monkeypatch.setattr("faults.load.PAUSE_SECONDS", 0)
    requests, sizes = [2_000, 11_000, 20_000], []
    with serving(project, tmp_path / "server.log", WEB_CONCURRENCY="1") as server:
        [worker] = workers(server)
        with Load(server, users=8) as load:
            for count in requests:
                load.wait_for(lambda: len(load.outcomes) >= count, 180)  # noqa: B023
                sizes.append(anonymous_kib({worker}))
        figures.update(load.figures(), **{"PSS MiB": [round(size / 1024, 1) for size in sizes]})
    assert set(load.statuses()) == {200, 201}
    assert sizes[2] - sizes[0] < 8 * 1024
    assert sizes[2] - sizes[1] < 3 * 1024
