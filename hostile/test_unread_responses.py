"""Clients that do not read their responses (docs/operations.md, "Slow clients")."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from faults.load import Load
from faults.observing import anonymous_kib, client_connections, workers
from faults.postgres import Postgres
from hostile.decent_clients import check
from hostile.staff import signed_in
from hostile.wire import Address, Client, Reply, authorized
from todo_project.tests.live_server import LiveServer, serving

SEND_SECONDS = 3  # of ``single_worker``
MARGIN = 3.0
UNREAD = 8  # responses at a time, more than fit into the memory that a process keeps for the next
SMALL = 4096  # a receive buffer in bytes
LIST = b"GET /api/hoarder/tasks HTTP/1.1\r\n" + authorized("hoarder") + b"\r\n"


@pytest.fixture(scope="module")
def single_worker(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with one worker process."""
    log = tmp_path_factory.mktemp("unread") / "server.log"
    with serving(project, log, WEB_CONCURRENCY="1", SEND_TIMEOUT=str(SEND_SECONDS)) as live:
        yield live


@pytest.fixture(scope="module", autouse=True)
def hoarder(postgres: Postgres) -> Iterator[None]:
    """Create a user with 4,000 tasks of 4 KB."""
    postgres.execute(
        "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"
        " SELECT 'hoarder', 'x', repeat('\U0001f4cc', 1000), false, now(), now()"
        " FROM generate_series(1, 4000)"
    )
    yield
    postgres.execute("DELETE FROM task WHERE user_id = 'hoarder'")


@pytest.fixture(scope="module")
def whole(single_worker: LiveServer, hoarder: None) -> bytes:
    """Return the list as a client that reads it at once gets it."""
    for _ in range(3):  # the memory for the rows is kept from now on
        body = read_list(single_worker)
    return body


def read_list(server: LiveServer) -> bytes:
    """Read the list, and return it."""
    with Client(("127.0.0.1", server.port)) as client:
        client.send(LIST)
        return client.reply().body


def begun(address: Address, request: bytes) -> Client:
    """Send a request, and read nothing but the first byte of its response."""
    client = Client(address, SMALL)
    client.send(request)
    assert client.sock.recv(1) == b"H"
    return client


def test_unread_responses(
    single_worker: LiveServer, address: Address, whole: bytes, figures: dict[str, Any]
) -> None:
    """Each must be kept once, and only as long as its client may wait."""
    [worker] = workers(single_worker)
    while client_connections(single_worker):  # those of the fixture
        time.sleep(0.01)
    kib = [anonymous_kib({worker})]
    with ExitStack() as stack:
        clients = []
        for _ in range(UNREAD):
            clients.append(stack.enter_context(begun(address, LIST)))
            kib.append(anonymous_kib({worker}))
        began = time.monotonic()
        steps = [(after - before) * 1024 / len(whole) for before, after in pairwise(kib)]
        # Building a list also takes and frees memory, in some steps only: the median leaves it out.
        growth = median(steps)
        ends_at = began + SEND_SECONDS + MARGIN
        while (left := client_connections(single_worker)) and time.monotonic() < ends_at:
            time.sleep(0.05)
        seconds = time.monotonic() - began
        received = 0 if left else max(len(client.rest()) for client in clients)
    figures.update(
        {"MB": round(len(whole) / 1e6), "unread": UNREAD, "growth to size": round(growth, 2)}
        | {"steps": [round(step, 1) for step in steps]}
        | {"closed after s": round(seconds, 1), "received MB": round(received / 1e6, 1)}
    )
    assert growth < 1.3
    assert left == 0
    assert seconds > SEND_SECONDS - 1
    assert received < len(whole)


def test_memory_after_large_lists(project: Path, tmp_path: Path, figures: dict[str, Any]) -> None:
    """A process must not keep the memory of each large response, whichever thread has built it."""
    with serving(project, tmp_path / "server.log", WEB_CONCURRENCY="1") as server:
        processes = workers(server)
        before = anonymous_kib(processes)
        size = len(read_list(server)) / 1024
        for _ in range(30):
            read_list(server)
        growth = (anonymous_kib(processes) - before) / size
    figures.update(responses=31, **{"growth to size": round(growth, 1)})
    assert growth < 8


def slowly_read(client: Client, size: int, pause: float) -> Reply | None:
    """Read a response in parts with pauses; return it, or ``None`` if it is not complete."""
    parts, buffer = b"H", bytearray(size)
    while b"\r\n\r\n" not in parts or len(parts) < _whole_size(parts):
        time.sleep(pause)
        count = client.sock.recv_into(buffer)
        if not count:
            return None
        parts += buffer[:count]
    head, _, body = parts.partition(b"\r\n\r\n")
    return Reply(int(head[9:12]), {}, body)


def _whole_size(parts: bytes) -> int:
    head, _, _ = parts.partition(b"\r\n\r\n")
    [length] = re.findall(rb"(?i)\r\nContent-Length: (\d+)", head)
    return len(head) + 4 + int(length)


@pytest.mark.parametrize(
    ("size", "pause", "buffer"),
    [(1_000_000, 0.3, None), (64_000, 0.02, 65_536)],
    ids=["large parts", "small parts"],
)
def test_a_steady_reader(
    address: Address, whole: bytes, figures: dict[str, Any], size: int, pause: float, buffer: int
) -> None:
    """A client that takes longer than its limit, but always reads on, must get everything."""
    with Client(address, buffer) as client:
        began = time.monotonic()
        client.send(LIST)
        assert client.sock.recv(1) == b"H"
        reply = slowly_read(client, size, pause)
        seconds = time.monotonic() - began
    figures["s"] = round(seconds, 1)
    assert reply is not None
    assert (reply.status, reply.body) == (200, whole)
    assert seconds > SEND_SECONDS + 1


def test_a_reader_of_few_bytes(address: Address, whole: bytes, figures: dict[str, Any]) -> None:
    """A client that reads 100 KB per second must not count as one that does not read.

    It is observed for three times its limit. With the default limit, it could read 10 KB per
    second.
    """
    received = 0
    with begun(address, LIST) as client:
        ends_at = time.monotonic() + 3 * SEND_SECONDS
        while time.monotonic() < ends_at:
            time.sleep(0.02)
            try:
                part = client.sock.recv(2000)
            except ConnectionError:
                part = b""
            if not part:
                break
            received += len(part)
        closed_early = time.monotonic() < ends_at
        # the rest comes too, and not only what the kernel has kept
        rest = 0 if closed_early else len(client.next_bytes(len(whole) - received))
    figures.update({"received KB": received // 1000, "then MB": round(rest / 1e6, 1)})
    assert not closed_early
    assert received + rest >= len(whole)


def test_unread_responses_do_not_slow_down_others(
    single_worker: LiveServer, address: Address, figures: dict[str, Any]
) -> None:
    """Four responses of 16 MB that nobody reads must not slow down other users."""
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(begun(address, LIST))
        with Load(single_worker) as load:
            time.sleep(2)
    figures.update({"sent": len(load.outcomes), "p95 ms": round(load.p95() * 1000)})
    check(load)


@pytest.mark.usefixtures("superuser")
def test_unread_exports(
    project: Path, postgres: Postgres, tmp_path: Path, figures: dict[str, Any]
) -> None:
    """Exports that nobody reads must not slow down the API, and must continue once read."""
    [(count,)] = postgres.execute("SELECT count(*) FROM task WHERE user_id = 'hoarder'")
    form = b"action=export_as_csv&_selected_action=1&select_across=1"
    with (
        serving(project, tmp_path / "server.log", WEB_CONCURRENCY="1") as server,
        ExitStack() as stack,
    ):
        request = b"POST /admin/tasks/task/?q=hoarder HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b"
        request %= signed_in(server), len(form), form
        exports = [stack.enter_context(Client(("127.0.0.1", server.port), SMALL)) for _ in range(4)]
        for export in exports:
            export.send(request)
        with Load(server) as load:
            time.sleep(4)
        lines = [0] * len(exports)

        def read(number: int) -> None:
            reply = exports[number].reply()
            if reply.status == 200:
                lines[number] = reply.body.count(b"\r\n")

        readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(60)
    figures.update({"sent": len(load.outcomes), "p95 ms": round(load.p95() * 1000), "lines": lines})
    check(load)
    assert lines == [count + 1] * 4
