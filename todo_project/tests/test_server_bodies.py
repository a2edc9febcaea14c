"""Request bodies of many sizes and framings, sent to gunicorn."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from conftest import mint
from todo_project.tests.live_server import LiveServer

JSON = {"Content-Type": "application/json"}
LIMIT = 64 * 1024
LENGTH, CHUNKED = "Content-Length: 50", "Transfer-Encoding: chunked"


def padded(size: int) -> bytes:
    """Return a valid body of this many bytes."""
    shell = b'{"title": "Buy milk", "note": "%b"}'
    return shell % (b"x" * (size - len(shell % b"")))


def pieces(body: bytes, size: int = 4096) -> Iterator[bytes]:
    """Yield the parts of a body, which httpx sends as chunks without ``Content-Length``."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def head(method: str, user_id: str, *headers: str, path: str = "") -> bytes:
    """Return the request line and the headers of a request."""
    lines = (
        f"{method} /api/{user_id}/tasks{path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {mint(user_id)}",
        "Content-Type: application/json",
        *headers,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def titles(server: LiveServer, user_id: str) -> list[str]:
    """Return the titles of the user's tasks."""
    with server.client(user_id) as client:
        return [task["title"] for task in client.get(f"/api/{user_id}/tasks").json()]


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "with a length"])
def test_a_body_over_the_limit_is_refused_and_changes_nothing(
    server: LiveServer, chunked: bool
) -> None:
    """A body over 64 KiB must get a 413, chunked or not (docs/contract.md, "Errors").

    The rest of the body is not read, so the response must announce that the connection is closed.
    """
    sizes, user_id = (100, LIMIT, LIMIT + 1, 2**20, 10 * 2**20), f"heavy-{chunked}"
    with server.client(user_id) as client:

        def post(body: bytes, **headers: str) -> httpx.Response:
            content = pieces(body) if chunked else body
            path = f"/api/{user_id}/tasks"
            return client.post(path, content=content, headers={**JSON, **headers})

        taken = [post(padded(size)) for size in sizes]
        unread = [post(b"x" * size, Authorization="Bearer none") for size in sizes]

    assert [each.status_code for each in (*taken, *unread)] == [201, 201, 413, 413, 413] + [401] * 5
    assert {each.json()["detail"] for each in taken[2:]} == {"Request body too large"}
    closing = [each.headers.get("Connection") == "close" for each in (*taken, *unread)]
    assert closing == [False, False, True, True, True] * 2
    assert titles(server, user_id) == ["Buy milk"] * 2


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (CHUNKED, b'ZZ\r\n{"title": "broken"}\r\n0\r\n\r\n'),
        (CHUNKED, b'-5\r\n{"title": "broken"}\r\n0\r\n\r\n'),
        (CHUNKED, b'13\r\n{"title": "broken"}no line end'),
        (CHUNKED, b'13\r\n{"title": "broken"}\r\n'),
        (CHUNKED, b'fffffff\r\n{"title": "broken"}\r\n'),
        (LENGTH, b'{"title": "broken"}'),
        # Content-Length beside Transfer-Encoding: request smuggling (RFC 9112 §6.1)
        (f"{LENGTH}\r\n{CHUNKED}", b'13\r\n{"title": "broken"}\r\n0\r\n\r\n'),
    ],
)
def test_a_malformed_or_truncated_body_is_refused(
    server: LiveServer, framing: str, body: bytes
) -> None:
    """The request must get a 400 and change nothing, even with valid JSON (RFC 9112 §7, §8)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
        wire.sendall(head("POST", "breaker", framing, "Connection: close") + body)
        with suppress(OSError):  # the server may have closed the connection
            wire.shutdown(socket.SHUT_WR)
        answer = wire.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert titles(server, "breaker") == []


def test_a_client_that_waits_for_100_continue_is_served(server: LiveServer) -> None:
    """``Expect: 100-continue`` must get a 100 before the body is sent (RFC 9110 §10.1.1)."""
    body = b'{"title": "patient"}'
    request = head(
        "POST",
        "patient",
        "Expect: 100-continue",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
        wire.sendall(request)
        interim = wire.recv(65536)
        wire.sendall(body)
        final = wire.recv(65536)

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert final.startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize("framing", ["Content-Length: {length}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "", 200), ("PATCH", "/1/complete", 404), ("DELETE", "/1", 404), ("POST", "/1", 405)],
)
def test_an_unread_body_is_not_parsed_as_the_next_request(
    server: LiveServer, method: str, path: str, status: int, framing: str
) -> None:
    """Responses must match the requests of a persistent connection (RFC 9112 §9.3)."""
    body = head("POST", "smuggler", "Content-Length: 21") + b'{"title": "smuggled"}'
    header = framing.format(length=len(body))
    if "chunked" in header:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    answer = server.exchange(
        head(method, "smuggler", header, path=path)
        + body
        + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert titles(server, "smuggler") == []


def test_a_connection_serves_the_request_after_a_flip_with_a_body(server: LiveServer) -> None:
    """A flip must ignore its body, and the connection must stay usable."""
    with server.client("keeper") as client:
        task = client.post("/api/keeper/tasks", json={"title": "Buy milk"}).json()
        path = f"/api/keeper/tasks/{task['id']}"

        flipped = client.request("PATCH", f"{path}/complete", content=b"[not json" * 99)
        read = client.get(path)

    assert (flipped.status_code, read.status_code) == (200, 200)
    assert read.json() == flipped.json()
