"""Bytes of a connection, parsed into requests (RFC 9112)."""

from itertools import pairwise
from typing import Any

import pytest

from todo_project.server.requests import (
    MAX_FRAMING,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_TARGET_BYTES,
    RefusedError,
    RequestReader,
    environ_key,
)

LIMIT = 100
GET = b"GET /a HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


def reader_of(*parts: bytes) -> RequestReader:
    """Return a reader that has been fed these parts."""
    reader = RequestReader({"REMOTE_ADDR": "192.0.2.1"}, LIMIT)
    for part in parts:
        reader.feed(memoryview(part))
    return reader


def status_of(*parts: bytes) -> int | None:
    """Return the status with which a reader refuses the parts, or ``None``."""
    try:
        reader_of(*parts)
    except RefusedError as refused:
        return refused.status
    return None


def environ_of(*parts: bytes) -> dict[str, Any]:
    """Return the environ of the one request in the parts."""
    [request] = reader_of(*parts).requests
    return request.environ


def bodies(reader: RequestReader) -> list[tuple[str, bytes]]:
    """Return the path and the body of each request."""
    requests = [each.environ for each in reader.requests]
    return [(each["PATH_INFO"], each["wsgi.input"].read()) for each in requests]


def test_the_environ_of_a_request() -> None:
    """The environ must have the keys of PEP 3333, and the target as it was sent."""
    environ = environ_of(
        b"PUT /a%2Fb/%C3%A9?q=%41 HTTP/1.1\r\nHost: a:1\r\nContent-Type: text/plain\r\n"
        b"content-length: 2\r\nX-Two: 1\r\nx-two:  2 \t\r\nX-Empty:\r\nX-Latin: \xe9\r\n\r\nhi"
    )

    assert environ.pop("wsgi.input").read() == b"hi"
    assert isinstance(environ.pop("todo_project.received_at"), float)
    assert environ == {
        "REMOTE_ADDR": "192.0.2.1",
        "REQUEST_METHOD": "PUT",
        "RAW_URI": "/a%2Fb/%C3%A9?q=%41",
        "PATH_INFO": "/a/b/\xc3\xa9",
        "QUERY_STRING": "q=%41",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "2",
        "HTTP_HOST": "a:1",
        "HTTP_X_TWO": "1,2",
        "HTTP_X_EMPTY": "",
        "HTTP_X_LATIN": "\xe9",
    }


def test_targets() -> None:
    """Every form of the target must have a path (RFC 9112 §3.2)."""
    expected = {
        b"/": ("/", ""),
        b"//a/b?c?d": ("//a/b", "c?d"),
        b"http://b:1/x?y": ("/x", "y"),
        b"http://b": ("", ""),
        b"*": ("*", ""),
    }

    def parse(target: bytes) -> tuple[str, str]:
        environ = environ_of(b"OPTIONS %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
        return environ["PATH_INFO"], environ["QUERY_STRING"]

    assert {sent: parse(sent) for sent in expected} == expected


def test_a_name_with_an_underscore_is_ignored() -> None:
    """``If_Match`` must not pass for ``If-Match``."""
    environ = environ_of(GET + b"If_Match: x\r\nContent_Length: 5\r\nX-A_B: c\r\n\r\n")

    assert {"HTTP_IF_MATCH", "CONTENT_LENGTH", "HTTP_X_A_B"}.isdisjoint(environ)
    assert environ_key(b"if-match") == "HTTP_IF_MATCH"


def test_refusals() -> None:
    """A request that could be understood in two ways must be refused (RFC 9112 §11)."""
    expected = {
        b"GET /a HTTP/1.1\r\n\r\n": 400,  # without a Host
        b"GET /a HTTP/1.0\r\n\r\n": None,
        GET + b"Host: a\r\n\r\n": 400,
        GET + b"X : y\r\n\r\n": 400,
        GET + b"X: y\r\n z\r\n\r\n": 400,
        GET + b"X: \x00\r\n\r\n": 400,
        GET + b"X: a\rb\r\n\r\n": 400,
        GET + b"X: a\n\r\n": 400,
        b"GET /a HTTP/1.1\nHost: a\n\n": 400,
        b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n": 400,
        b"GET /a\r\n\r\n": 400,
        b"GET /a HTTP/2.0\r\nHost: a\r\n\r\n": 400,
        b"GET /a HTTP/9.9\r\nHost: a\r\n\r\n": 400,
        b"get /a HTTP/1.1\r\nHost: a\r\n\r\n": 400,
        b"\x16\x03\x01\x02": 400,
        GET + b"\r\nget": 400,
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n": 400,
        POST + b"Content-Length: +2\r\n\r\n": 400,
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n": 400,
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n": 501,
        POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n": 400,
        CHUNKED.replace(b"1.1", b"1.0"): 400,
        POST + b"Content-Length: " + b"0" * 5000 + b"2\r\n\r\n": 400,
        POST + b"Expect: 101-switching\r\n\r\n": 417,
        POST + UPGRADE + b"Content-Length: 2\r\n\r\n{}": 501,
        POST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n": 501,
        CHUNKED + b"x\r\n": 400,
        CHUNKED + b"1" + b"0" * 17 + b"\r\n": 400,
        CHUNKED + b"2\r\n{}}": 400,
        CHUNKED + b"1;" + b"x" * (MAX_FRAMING * LIMIT) + b"\r\n": 413,
        GET + b"X: " + b"y" * MAX_HEAD_BYTES: 431,
        GET + b"X: y\r\n" * MAX_HEADERS + b"\r\n": 431,
        GET + b"".join(b"X-%d: y\r\n" % n for n in range(MAX_HEADERS + 1)) + b"\r\n": 431,
        b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * MAX_TARGET_BYTES): 414,
    }

    assert {sent: status_of(sent) for sent in expected} == expected
    split = {sent: status for sent, status in expected.items() if len(sent) < MAX_TARGET_BYTES}
    assert {sent: status_of(*(bytes([byte]) for byte in sent)) for sent in split} == split


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_requests_in_pieces(size: int) -> None:
    """Requests must be the same however they are cut, and stay in order (RFC 9112 §9.3.2)."""
    sent = (
        POST + b"Content-Length: 5\r\n\r\nfirst" + b"\r\n" + GET + b"\r\n"
        b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nsec\r\n3\r\nond\r\n0\r\nAuthorization: Bearer x\r\n\r\n" + GET + b"\r\n"
    )
    cuts = [*range(0, len(sent), size), len(sent)]
    reader = reader_of(*(sent[start:end] for start, end in pairwise(cuts)))

    environs = [each.environ for each in reader.requests]
    assert bodies(reader) == [("/a", b"first"), ("/a", b""), ("/b", b"second"), ("/a", b"")]
    assert [each.get("CONTENT_LENGTH") for each in environs] == ["5", None, "6", None]
    assert not any("HTTP_AUTHORIZATION" in each for each in environs)  # a trailer is no header
    assert not any("HTTP_TRANSFER_ENCODING" in each for each in environs)
    assert all(each.keeps_alive for each in reader.requests)
    assert (reader.state, reader.is_reading, reader.is_ended) == ("idle", False, False)


def test_names_of_a_client_are_not_kept() -> None:
    """Neither long names nor trailers may fill the memory."""
    environ_key.cache_clear()

    environ = environ_of(GET + b"X" * 65 + b": y\r\n\r\n")
    reader_of(CHUNKED + b"0\r\nX-Trailer: y\r\n\r\n")

    assert environ["HTTP_" + "X" * 65] == "y"
    assert environ_key.cache_info().currsize == 2  # Host, Transfer-Encoding


def test_an_unknown_method_is_left_to_the_application() -> None:
    """The parser does not know ``BREW``, but the application must respond to it."""
    reader = reader_of(b"BREW /a HTTP/1.1\r\nHost: a\r\n\r\n", GET + b"\r\n")

    assert [each.environ["REQUEST_METHOD"] for each in reader.requests] == ["BREW", "GET"]


def test_when_a_connection_ends() -> None:
    """No request may be read after the last one, and the last one must be kept."""
    expected = {
        (b"1.1", b""): True,
        (b"1.1", b"Connection: close\r\n"): False,
        (b"1.1", b"Connection: foo, close\r\n"): False,
        (b"1.1", UPGRADE): False,
        (b"1.0", b""): False,
        (b"1.0", b"Connection: keep-alive\r\n"): True,
    }

    def keeps_alive(sent: tuple[bytes, bytes]) -> bool:
        head = b"GET /a HTTP/%b\r\nHost: a\r\n%b\r\n" % sent
        reader = reader_of(head + GET + b"\r\n")
        first = reader.requests[0]
        assert len(reader.requests) == 1 + first.keeps_alive
        assert reader.is_ended is not first.keeps_alive
        return first.keeps_alive

    assert {sent: keeps_alive(sent) for sent in expected} == expected


def test_a_large_body_is_not_kept() -> None:
    """The application must see a length over the limit, but no content."""
    large = b"x" * (LIMIT + 1)
    announced = POST + b"Content-Length: 101\r\n\r\n"
    chunk = CHUNKED + b"65\r\n" + large
    for parts in ([announced], [announced, large, large], [chunk], [chunk, b"\r\n0\r\n\r\n"]):
        reader = reader_of(*parts)
        [(environ, keeps_alive)] = reader.requests
        assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("101", b"")
        assert (keeps_alive, reader.is_ended) == (False, True)

    fits = environ_of(POST + b"Content-Length: 100\r\n\r\n" + large[1:])
    assert fits["wsgi.input"].read() == large[1:]


def test_a_client_that_waits_for_a_100() -> None:
    """Only a client with a body that is accepted must be told to send it (RFC 9110 §10.1.1)."""
    expected = {b"2": True, b"101": False}

    def expects(length: bytes) -> bool:
        head = POST + b"Expect: 100-Continue\r\nContent-Length: %b\r\n\r\n" % length
        return reader_of(head).expects_continue

    assert {sent: expects(sent) for sent in expected} == expected
    old = POST.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert not reader_of(old).expects_continue
    whole = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    assert not reader_of(whole).expects_continue


def test_a_client_that_disconnects() -> None:
    """An unfinished body must be shorter than its length; an unfinished head is refused."""
    unfinished = {POST + b"Content-Length: 9\r\n\r\n{}": "9", CHUNKED + b"2\r\n{}\r\n": "3"}
    for sent, length in unfinished.items():
        reader = reader_of(sent)
        reader.end()
        [(environ, keeps_alive)] = reader.requests
        assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == (length, b"")
        assert not keeps_alive

    for sent in (b"", GET + b"\r\n"):
        reader = reader_of(sent)
        reader.end()
        assert reader.is_ended
    with pytest.raises(RefusedError, match="Bad Request"):
        reader_of(GET).end()
