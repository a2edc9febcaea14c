"""Requests that two servers could read differently, or that are too large (RFC 9112)."""

import time
from typing import Any

from faults.observing import workers
from faults.postgres import Postgres
from hostile.wire import Address, Client, DisconnectedError, Reply, authorized, exchange
from todo_project.tests.live_server import LiveServer

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /api/smuggler/tasks HTTP/1.1\r\n" + authorized("smuggler")
POST += b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
TASK = b'{"title": "x"}'
# A request that would be executed if the server misread the end of the one before it
SMUGGLED = POST + b"Content-Length: %d\r\n\r\n%b" % (len(TASK), TASK)
BAD = {400}
CODING = {400, 501}
NO_RESPONSE = 0  # the connection is closed without one
# bytes, and the accepted statuses
REFUSED = {
    # RFC 9112 §6.3
    "a length and chunks": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        BAD,
    ),
    "chunks and a length": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        BAD,
    ),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", BAD),
    "two lengths in a line": (POST + b"Content-Length: 2, 3\r\n\r\n{}x", BAD),
    "a length twice in a line": (POST + b"Content-Length: 2, 2\r\n\r\n{}", BAD),
    "a length with a plus": (POST + b"Content-Length: +2\r\n\r\n{}", BAD),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n{}", BAD),
    "a hexadecimal length": (POST + b"Content-Length: 0x2\r\n\r\n{}", BAD),
    "a length with an underscore": (POST + b"Content-Length: 1_0\r\n\r\n{}", BAD),
    "a length with a blank": (POST + b"Content-Length: 1 0\r\n\r\n{}", BAD),
    "an empty length": (POST + b"Content-Length: \r\n\r\n{}", BAD),
    "a length in words": (POST + b"Content-Length: two\r\n\r\n{}", BAD),
    "a length in other digits": (POST + "Content-Length: ٢\r\n\r\n{}".encode(), BAD),
    "a length over 2^64": (POST + b"Content-Length: 18446744073709551618\r\n\r\n{}", {400, 413}),
    "gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", CODING),
    "chunked, gzip": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", CODING),
    "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", CODING),
    "two codings": (
        POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        CODING,
    ),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", CODING),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", CODING),
    "chunked in quotes": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', CODING),
    "an empty coding": (POST + b"Transfer-Encoding: \r\n\r\n", CODING),
    "a coding after a tabulator": (
        POST + b"Transfer-Encoding: x\x0bchunked\r\n\r\n0\r\n\r\n",
        CODING,
    ),
    "chunks in HTTP/1.0": (
        CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + b"0\r\n\r\n",
        {400, 501},
    ),
    # §5: the head
    "a folded header": (GET + b"X-Long: a\r\n b\r\n\r\n", BAD),
    "a header folded with a tabulator": (GET + b"X-Long: a\r\n\tb\r\n\r\n", BAD),
    "a folded first header": (b"GET /health HTTP/1.1\r\n Host: localhost\r\n\r\n", BAD),
    "a bare LF after a header": (GET + b"X-A: b\n\r\n", BAD),
    "a bare LF after the first line": (b"GET /health HTTP/1.1\nHost: localhost\r\n\r\n", BAD),
    "bare LFs only": (b"GET /health HTTP/1.1\nHost: localhost\n\n", BAD),
    "a bare LF at the end": (GET + b"\n", BAD),
    "a bare CR in a value": (GET + b"X-A: b\rX-C: d\r\n\r\n", BAD),
    "a bare CR after a header": (GET + b"X-A: b\rContent-Length: 5\r\n\r\n", BAD),
    "a blank before the colon": (GET + b"X-A : b\r\n\r\n", BAD),
    "a blank before the colon of the length": (POST + b"Content-Length : 2\r\n\r\n{}", BAD),
    "a tabulator before the colon": (POST + b"Transfer-Encoding\t: chunked\r\n\r\n", BAD),
    "a blank in a name": (GET + b"X A: b\r\n\r\n", BAD),
    "a header without colon": (GET + b"Broken\r\n\r\n", BAD),
    "a header without name": (GET + b": x\r\n\r\n", BAD),
    "NUL in a value": (GET + b"X-Nul: a\x00b\r\n\r\n", BAD),
    "NUL in a name": (GET + b"X-N\x00: a\r\n\r\n", BAD),
    "a control character in a value": (GET + b"X-A: a\x01b\r\n\r\n", BAD),
    "a name that is not ASCII": (GET + b"X-\xe4: a\r\n\r\n", BAD),
    "two hosts": (GET + b"Host: elsewhere\r\n\r\n", BAD),
    "the same host twice": (GET + b"Host: localhost\r\n\r\n", BAD),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", BAD),
    # §3: the first line
    "a method in lower case": (b"get /health HTTP/1.1\r\nHost: localhost\r\n\r\n", CODING),
    "a method with a blank": (b" GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", CODING),
    "HTTP/9.9": (b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n", {400, 505}),
    "HTTP/1.2": (b"GET /health HTTP/1.2\r\nHost: localhost\r\n\r\n", {400, 505}),
    "HTTP/2.0": (b"GET /health HTTP/2.0\r\nHost: localhost\r\n\r\n", {400, 505}),
    "HTTP/1.10": (b"GET /health HTTP/1.10\r\nHost: localhost\r\n\r\n", {400, 505}),
    "http/1.1": (b"GET /health http/1.1\r\nHost: localhost\r\n\r\n", {400, 505}),
    "HTTP/0.9": (b"GET /health\r\n\r\n", {NO_RESPONSE, 400, 505}),
    "HTTP/2 without negotiation": (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        {NO_RESPONSE, 400, 501, 505},
    ),
    "a control character in the target": (b"GET /he\x01alth HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, CODING),
    # too large
    "a head of 70 KiB": (GET + b"X-Large: " + b"x" * 70_000 + b"\r\n\r\n", {400, 431}),
    "a name of 70 KiB": (GET + b"x" * 70_000 + b": a\r\n\r\n", {400, 431}),
    "101 headers": (GET + b"X-Many: 1\r\n" * 101 + b"\r\n", {400, 431}),
    "101 different headers": (
        GET + b"".join(b"X-Many-%d: 1\r\n" % number for number in range(101)) + b"\r\n",
        {400, 431},
    ),
    "a path of 9,000 bytes": (
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        {414},
    ),
    "a query of 9,000 bytes": (
        b"GET /health?" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        {414},
    ),
    # §7.1: chunks
    "a chunk size that is not hexadecimal": (CHUNKED + b"xyz\r\n{}\r\n0\r\n\r\n", BAD),
    "a chunk size with a prefix": (CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", BAD),
    "a chunk size with a sign": (CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n", BAD),
    "a negative chunk size": (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", BAD),
    "no chunk size": (CHUNKED + b"\r\n{}\r\n0\r\n\r\n", BAD),
    "a chunk size after a blank": (CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n", BAD),
    "a blank after a chunk size": (CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n", BAD),
    "a chunk size with a bare LF": (CHUNKED + b"2\n{}\r\n0\r\n\r\n", BAD),
    "a chunk without CRLF": (CHUNKED + b"2\r\n{}0\r\n\r\n", BAD),
    "a chunk with a bare LF": (CHUNKED + b"2\r\n{}\n0\r\n\r\n", BAD),
    "a chunk that is too long": (CHUNKED + b"2\r\n{}}\r\n0\r\n\r\n", BAD),
    "a bare LF in an extension": (CHUNKED + b"2;\nxx\r\n{}\r\n0\r\n\r\n", BAD),
    "a chunk of 2^68 bytes": (CHUNKED + b"100000000000000000\r\n", {400, 413}),
    "a chunk of 2^62 bytes": (CHUNKED + b"4000000000000000\r\n{", {400, 408, 413}),
    "an extension of 600 KiB": (
        CHUNKED + b"1;" + b"x" * 600_000 + b"\r\n \r\n0\r\n\r\n",
        {400, 413},
    ),
    "trailers of 600 KiB": (
        CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X-T: 1\r\n" * 75_000 + b"\r\n",
        {400, 413, 431},
    ),
}


def test_ambiguous_requests_are_refused(
    single_worker: LiveServer, address: Address, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """A refused request must end its connection, and what follows it must not be executed."""
    before, slowest = workers(single_worker), 0.0
    wrong: dict[str, str] = {}
    for name, (request, expected) in REFUSED.items():
        began = time.monotonic()
        try:
            statuses = [reply.status for reply in exchange(address, request + SMUGGLED)]
        except TimeoutError:
            wrong[name] = "open"
            continue
        slowest = max(slowest, time.monotonic() - began)
        if len(statuses) > 1 or (statuses or [NO_RESPONSE])[0] not in expected:
            wrong[name] = str(statuses)
    [(executed,)] = postgres.execute("SELECT count(*) FROM task WHERE user_id = 'smuggler'")
    figures.update(
        {"requests": len(REFUSED), "not refused": len(wrong), "slowest s": round(slowest, 2)}
    )
    assert wrong == {}
    assert executed == 0
    assert workers(single_worker) == before


def test_the_smuggled_request_is_executed_if_it_is_sent_alone(
    address: Address, postgres: Postgres
) -> None:
    """The request by which the test above finds a misread end must be valid."""
    with Client(address) as client:
        client.send(SMUGGLED)
        assert client.reply().status == 201
    postgres.execute("DELETE FROM task WHERE user_id = 'smuggler'")


def test_names_with_underscores_have_no_effect(address: Address) -> None:
    """A name with an underscore must not pass for the header with a hyphen."""
    body = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(TASK)
    create = b"POST /api/under/tasks HTTP/1.1\r\n" + authorized("under") + body
    read = b"GET /api/under/tasks HTTP/1.1\r\n" + authorized("under")
    with Client(address) as client:

        def response(request: bytes) -> Reply:
            client.send(request)
            return client.reply()

        assert response(create + b"\r\n" + TASK).status == 201
        etag = response(read + b"\r\n").headers["etag"].encode()
        assert response(read + b"If-None-Match: %b\r\n\r\n" % etag).status == 304
        assert response(read + b"If_None_Match: %b\r\n\r\n" % etag).status == 200
        assert response(read + b"X-Request-ID: mine\r\n\r\n").headers["x-request-id"] == "mine"
        assert response(read + b"X_Request_ID: mine\r\n\r\n").headers["x-request-id"] != "mine"
        assert response(create + b"Content_Length: 2\r\n\r\n" + TASK).status == 201
        chunks = b"Transfer_Encoding: chunked\r\n\r\n"
        assert response(create + chunks + TASK).status == 201
        tasks = response(read + b"\r\n").body
    assert tasks.count(b'"title"') == 3


# header lines, the version, and whether the connection must stay open
PERSISTENCE = [
    (b"", b"1.1", True),
    (b"Connection: close\r\n", b"1.1", False),
    (b"Connection: Close\r\n", b"1.1", False),
    (b"Connection: foo, close\r\n", b"1.1", False),
    (b"Connection: close, foo\r\n", b"1.1", False),
    (b"Connection: foo\r\nConnection: close\r\n", b"1.1", False),
    (b"Connection: keep-alive, close\r\n", b"1.1", False),
    (b"Connection: closed\r\n", b"1.1", True),
    (b"Connection: keep-alive\r\n", b"1.1", True),
    (b"", b"1.0", False),
    (b"Connection: keep-alive\r\n", b"1.0", True),
    (b"Connection: Keep-Alive\r\n", b"1.0", True),
    (b"Connection: close\r\n", b"1.0", False),
]


def test_which_connections_stay_open(address: Address) -> None:
    """The version and ``Connection`` must decide whether a connection is closed (RFC 9112 §9.3)."""
    wrong = []
    for lines, version, is_kept in PERSISTENCE:
        request = GET.replace(b"1.1", version) + lines + b"\r\n"
        with Client(address) as client:
            client.send(request)
            first = client.reply()
            client.send(request)
            try:
                client.reply()
                was_kept = True
            except DisconnectedError:
                was_kept = False
        if (first.status, was_kept) != (200, is_kept):
            wrong.append((lines, version, first))
    assert wrong == []
