"""Requests at once, in pieces, and with ``Expect`` (RFC 9112 §9.3.2, RFC 9110 §10.1.1)."""

import random
import socket
import time
from typing import Any

import pytest

from hostile.wire import Address, Client, DisconnectedError, Reply, authorized

BODY = b'{"title": "in pieces"}'
LARGE = 1_000_000


def get(path: bytes, user_id: str) -> bytes:
    """Return a GET."""
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (path, authorized(user_id))


def post(user_id: str, *lines: bytes, body: bytes = BODY, length: int | None = None) -> bytes:
    """Return a POST that creates a task, or its head if ``body`` is empty."""
    size = len(body) if length is None else length
    extra = b"".join(b"%b\r\n" % line for line in lines)
    return (
        b"POST /api/%b/tasks HTTP/1.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"%b\r\n%b" % (user_id.encode(), authorized(user_id), size, extra, body)
    )


def test_pipelined_requests(address: Address, figures: dict[str, Any]) -> None:
    """Responses must have the order of the requests, however long each of them takes."""
    paths = [b"/health", b"/api/piper/tasks", b"/nowhere", b"/admin/login/", b"/api/other/tasks"]
    statuses = [200, 200, 404, 200, 403]
    with Client(address) as client:
        began = time.monotonic()
        client.send(b"".join(get(path, "piper") for path in paths * 2))
        found = [client.reply().status for _ in paths * 2]
    figures.update(requests=len(found), ms=round((time.monotonic() - began) * 1000))
    assert found == statuses * 2


def test_a_pipelined_read_sees_the_write_before_it(address: Address) -> None:
    """A request must begin after the end of the one before it."""
    with Client(address) as client:
        for number in range(1, 11):
            client.send(post("writer") + get(b"/api/writer/tasks", "writer"))
            assert client.reply().status == 201
            assert client.reply().body.count(b'"title"') == number


def test_a_thousand_pipelined_requests(address: Address, figures: dict[str, Any]) -> None:
    """A client may send many requests before it reads the first response."""
    with Client(address) as client:
        began = time.monotonic()
        client.send(get(b"/health", "piper") * 1000)
        found = [client.reply().status for _ in range(1000)]
    figures.update(requests=1000, ms=round((time.monotonic() - began) * 1000))
    assert found == [200] * 1000


def compared(reply: Reply) -> tuple[int, bytes]:
    """Return what two responses to the same request have in common."""
    return reply.status, b"" if b"timestamp" in reply.body else reply.body


def test_requests_byte_by_byte(address: Address) -> None:
    """A request must get the same response, however its bytes arrive."""
    tasks = get(b"/api/pieces/tasks", "pieces")
    chunked = post("pieces", body=b"", length=0).replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    )
    chunked += b"3;a=b\r\n{}x\r\n0\r\nX-Trailer: 1\r\n\r\n"
    requests = [tasks, post("pieces", body=b"{}"), chunked, get(b"/admin/", "pieces")]
    with Client(address) as client, Client(address) as slow:
        for request in requests:
            client.send(request)
            for number in range(len(request)):
                slow.send(request[number : number + 1])
                time.sleep(0.0005)
            assert compared(slow.reply()) == compared(client.reply())


def test_two_requests_at_every_boundary(address: Address, figures: dict[str, Any]) -> None:
    """Two requests must be read correctly, wherever their bytes are divided."""
    pair = post("halves", body=b"[]") + get(b"/health", "halves")
    with Client(address) as client:
        for position in range(1, len(pair)):
            client.send(pair[:position])
            time.sleep(0.002)
            client.send(pair[position:])
            assert [client.reply().status, client.reply().status] == [422, 200], position
    figures["positions"] = len(pair) - 1


def test_many_requests_in_random_pieces(address: Address, figures: dict[str, Any]) -> None:
    """A long stream of requests must be read correctly in pieces of any size."""
    chance = random.Random(13)  # noqa: S311 - not secret
    stream = (post("stream", body=b"[]") + get(b"/health", "stream")) * 100
    with Client(address) as client:
        position = 0
        while position < len(stream):
            size = chance.choice([1, 2, 3, 50, 1000, 5000])
            client.send(stream[position : position + size])
            position += size
        found = [client.reply().status for _ in range(200)]
    figures["requests"] = len(found)
    assert found == [422, 200] * 100


def test_expect_100_continue(address: Address) -> None:
    """A client that waits for a 100 must get it, and then the response to its request."""
    with Client(address) as client:
        for _ in range(2):
            client.send(post("patient", b"Expect: 100-continue", body=b"", length=len(BODY)))
            assert client.reply() == Reply(100, {}, b"")
            client.send(BODY)
            assert client.reply().status == 201


def test_expect_with_the_body_at_once(address: Address) -> None:
    """A client may send the body without waiting (RFC 9110 §10.1.1)."""
    with Client(address) as client:
        client.send(post("hasty", b"Expect: 100-continue"))
        first = client.reply()
        assert (first if first.status != 100 else client.reply()).status == 201


@pytest.mark.parametrize(
    ("lines", "length", "status"),
    [
        ((b"Expect: 100-continue",), LARGE, 413),
        ((b"Expect: 100-continue", b"Authorization: Basic eDp5"), LARGE, 401),
        ((b"Expect: 200-ok",), 2, 417),
    ],
    ids=["too large", "no valid token", "unknown"],
)
def test_no_100_for_a_refused_request(
    address: Address, lines: tuple[bytes, ...], length: int, status: int
) -> None:
    """A request whose body is not wanted must get its final response at once."""
    request = post("eager", *lines, body=b"", length=length)
    with Client(address) as client:
        client.send(request)
        assert client.reply().status == status
        with pytest.raises(DisconnectedError):
            client.reply()


def test_a_client_that_sends_no_more(address: Address) -> None:
    """A client that has closed its side must get the responses to what it has sent."""
    with Client(address) as client:
        client.send(get(b"/health", "halfway") * 3)
        client.sock.shutdown(socket.SHUT_WR)
        assert [client.reply().status for _ in range(3)] == [200] * 3
        with pytest.raises(DisconnectedError):
            client.reply()
