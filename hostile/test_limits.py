"""Time limits for heads, bodies and responses (docs/operations.md, "Slow clients")."""

import time
from contextlib import ExitStack
from typing import Any

from faults.observing import workers
from hostile.wire import Address, Client, authorized, dripping
from todo_project.tests.live_server import LiveServer

# Seconds after a deadline within which a connection must be closed
MARGIN = 3.0
HEAD = b"GET /api/late/tasks HTTP/1.1\r\n" + authorized("late")
POST = b"POST /api/late/tasks HTTP/1.1\r\n" + authorized("late")
POST += b"Content-Type: application/json\r\n"
LENGTH = POST + b"Content-Length: 900\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HEADER_SECONDS, BODY_SECONDS = 2, 3  # of ``single_worker``
# Each client: what it sends at once, what it sends one byte at a time, and its limit in seconds
LATE = {
    "silent": (b"", b"", HEADER_SECONDS),
    "half a head": (HEAD, b"", HEADER_SECONDS),
    "a slow head": (b"", HEAD, HEADER_SECONDS),
    "empty lines": (b"", b"\r\n" * 50, HEADER_SECONDS),
    "no body": (LENGTH, b"", BODY_SECONDS),
    "half a body": (LENGTH + b'{"title"', b"", BODY_SECONDS),
    "a slow body": (LENGTH, b'{"title": "late"}' + b" " * 100, BODY_SECONDS),
    "no chunk": (CHUNKED, b"", BODY_SECONDS),
    "half a chunk": (CHUNKED + b"200\r\n{", b"", BODY_SECONDS),
    "a slow chunk size": (CHUNKED, b"0" * 100, BODY_SECONDS),
    "slow chunks": (CHUNKED, b"1\r\n \r\n" * 20, BODY_SECONDS),
    "a slow second request": (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", HEAD, HEADER_SECONDS),
}


def seconds_until_closed(clients: dict[str, Client], limit: float) -> dict[str, float]:
    """Return when the server closed each connection, counted from now, or the limit."""
    began, open_ = time.monotonic(), dict(clients)
    found = dict.fromkeys(clients, limit)
    for client in clients.values():
        client.sock.setblocking(False)
    while open_ and time.monotonic() < began + limit:
        for name, client in list(open_.items()):
            if _is_closed(client):
                found[name] = round(time.monotonic() - began, 2)
                del open_[name]
        time.sleep(0.05)
    return found


def _is_closed(client: Client) -> bool:
    try:
        while client.sock.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def test_late_clients(address: Address, single_worker: LiveServer, figures: dict[str, Any]) -> None:
    """A slow client must be disconnected, and each byte that it sends must not extend its limit."""
    before = workers(single_worker)
    with ExitStack() as stack:
        clients = {}
        for name, (at_once, _, _) in LATE.items():
            clients[name] = stack.enter_context(Client(address))
            clients[name].send(at_once)
        for name, (_, slowly, _) in LATE.items():
            if slowly:
                stack.enter_context(dripping([clients[name].sock], slowly, pause=0.4))
        found = seconds_until_closed(clients, 12)

    figures.update({f"{name} s": seconds for name, seconds in found.items()})
    limits = {name: limit for name, (_, _, limit) in LATE.items()}
    wrong = {
        name: seconds
        for name, seconds in found.items()
        if not limits[name] - 0.5 < seconds < limits[name] + MARGIN
    }
    assert wrong == {}
    assert workers(single_worker) == before
    with single_worker.client("late") as client:
        assert client.get("/api/late/tasks").json() == []


def test_the_default_limits(server: LiveServer, figures: dict[str, Any]) -> None:
    """A head must be there within 10 seconds, and a body 30 seconds after its head."""
    address = "127.0.0.1", server.port
    with Client(address) as silent, Client(address) as half, Client(address) as bodiless:
        half.send(HEAD)
        bodiless.send(LENGTH)
        clients = {"silent": silent, "half a head": half, "no body": bodiless}
        found = seconds_until_closed(clients, 40)

    figures.update({f"{name} s": seconds for name, seconds in found.items()})
    assert 9.5 < found["silent"] < 13
    assert 9.5 < found["half a head"] < 13
    assert 29.5 < found["no body"] < 33


def test_a_client_within_the_limits(address: Address) -> None:
    """A client that takes most of its time for each part must be served."""
    body = b'{"title": "in time"}'
    head = b"POST /api/timely/tasks HTTP/1.1\r\n" + authorized("timely")
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with Client(address) as client:
        for _ in range(2):
            for part in (head[:20], head[20:], body[:5], body[5:]):
                client.send(part)
                time.sleep(1)
            assert client.reply().status == 201
