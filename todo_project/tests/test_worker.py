"""The gunicorn worker: connections, deadlines, lanes and its end, with WSGI applications."""

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from gunicorn.config import Config

from todo_project.logs.formatters import current_request_id
from todo_project.postgresql.connection_pool import API_CONNECTIONS, STAFF_CONNECTIONS
from todo_project.server import worker as module
from todo_project.server.connections import Connection
from todo_project.server.worker import Worker
from todo_project.tests.waiting import wait_until

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"
OLD = b"GET /a HTTP/1.0\r\n%b\r\n"
BIG = bytes(range(256)) * 80_000
SECONDS = 20.0  # the longest wait for something that should happen at once

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Respond with the method, the path, the announced length and the body."""
    words = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("CONTENT_LENGTH", "-"))
    body = " ".join(words).encode() + b" " + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def responding(*parts: bytes, length: int | None = None, status: str = "200 OK") -> App:
    """Return an application that responds with these parts."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        lengths = [] if length is None else [("Content-Length", str(length))]
        start_response(status, [*lengths, ("Vary", "Origin")])
        return iter(parts)

    return app


class Running:
    """A worker that serves an application in threads of this process, and its clients."""

    def __init__(self, app: App, **options: Any) -> None:
        cfg = Config()
        for name, value in {"graceful_timeout": 5, **options}.items():
            cfg.set(name, value)
        self.log, unused = Mock(), Mock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = self.listener.getsockname()
        worker: type[Any] = Worker
        self.worker = worker(0, os.getppid(), [], unused, 30, cfg, self.log)
        self.worker.wsgi = app
        self.worker.PIPE = os.pipe()
        os.set_blocking(self.worker.PIPE[0], False)
        self.thread = threading.Thread(target=self.worker.run)
        self.clients: list[socket.socket] = []

    def start(self, *listeners: socket.socket) -> None:
        """Start to serve."""
        self.worker.sockets = listeners or [self.listener]
        for listener in self.worker.sockets:
            listener.setblocking(False)
        self.thread.start()

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Connect a client and send."""
        client = socket.create_connection(self.address, timeout=SECONDS)
        self.clients.append(client)
        client.sendall(sent)
        return client

    def exchange(self, sent: bytes) -> bytes:
        """Send, and return all that the client receives until the connection is closed."""
        with self.connect(sent) as client:
            return received(client)

    def begin_to_stop(self) -> None:
        """Ask the worker to stop, as gunicorn's signal handler does."""
        self.worker.alive = False
        os.write(self.worker.PIPE[1], b"x")

    def stop(self) -> None:
        """Stop, and wait until nothing runs."""
        self.begin_to_stop()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()
        unfinished = [connection.sock for connection in self.worker.connections.values()]
        for file in (*self.clients, *unfinished, self.listener, self.worker.tmp):
            file.close()
        for number in self.worker.PIPE:
            os.close(number)
        self.worker.epoll.close()


def received(client: socket.socket) -> bytes:
    """Return all that a client receives until the connection is closed."""
    content = b""
    with suppress(ConnectionResetError):
        while part := client.recv(1 << 20):
            content += part
    return content


def connections(server: Running) -> list[Any]:
    """Return the connections of a worker."""
    return list(server.worker.connections.values())


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLIENT_SECONDS = {"head": 60, "body": 60, "send": 60}
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.3)


Serve = Callable[..., Running]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves an application."""
    servers = []

    def start(app: App = echo, **options: Any) -> Running:
        servers.append(Running(app, **options))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def lines(response: bytes) -> list[str]:
    """Return the lines of a response's head, without the date, and its body."""
    head, _, body = response.partition(b"\r\n\r\n")
    first, date, *rest = head.decode().split("\r\n")
    assert date.startswith("Date: ")
    return [first, *rest, body.decode()]


def test_responses_are_framed(serve: Serve) -> None:
    """The client must know where each response ends (RFC 9112 §6.3)."""
    ok, vary, close = "HTTP/1.1 200 OK", "Vary: Origin", "Connection: close"
    last, head = LAST, LAST.replace(b"GET", b"HEAD")
    hello, five = responding(b"hello", length=5), responding(b"he", b"llo", length=5)
    pieces = responding(b"", b"he", b"", b"llo")
    chunks = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    expected = {
        "whole": (hello, last, [ok, "Content-Length: 5", vary, close, "hello"]),
        "parts": (five, last, [ok, "Content-Length: 5", vary, close, "hello"]),
        "HEAD": (five, head, [ok, "Content-Length: 5", vary, close, ""]),
        "chunks": (pieces, last, [ok, vary, "Transfer-Encoding: chunked", close, chunks]),
        "no chunks for HTTP/1.0": (pieces, OLD % b"", [ok, vary, close, "hello"]),
        "bodiless": (responding(status="204 No"), last, ["HTTP/1.1 204 No", vary, close, ""]),
        "unchanged": (responding(status="304 No"), last, ["HTTP/1.1 304 No", vary, close, ""]),
        "empty": (responding(length=0), last, [ok, "Content-Length: 0", vary, close, ""]),
    }

    got = {name: lines(serve(app).exchange(sent)) for name, (app, sent, _) in expected.items()}

    assert got == {name: wanted for name, (_, _, wanted) in expected.items()}


def test_a_connection_serves_many_requests(serve: Serve) -> None:
    """Requests must be served in order, however they are sent."""
    sent = GET + POST + b"Content-Length: 2\r\n\r\nhi" + LAST
    bodies = [b"GET /a - ", b"POST /a 2 hi", b"GET /last - "]
    server = serve()

    at_once = server.exchange(sent)
    client = server.connect()
    for byte in sent:
        client.sendall(bytes([byte]))
    one_by_one = received(client)

    for response in (at_once, one_by_one):
        assert [part.split(b"\r\n\r\n")[1] for part in response.split(b"HTTP/1.1")[1:]] == bodies
        assert response.count(b"Connection: close") == 1


def test_an_old_client_may_keep_its_connection(serve: Serve) -> None:
    """HTTP/1.0 needs a header for it (RFC 9112 §9.3)."""
    client = serve().connect(OLD % b"Connection: keep-alive\r\n")
    first = client.recv(4096)
    client.sendall(LAST)

    assert b"\r\nConnection: keep-alive\r\n" in first
    assert b"GET /last" in received(client)


def test_bytes_that_are_not_a_request(serve: Serve) -> None:
    """The requests before them must be served; then follows a refusal, and nothing else."""
    server = serve()

    first, second = server.exchange(GET + b"nonsense" + GET).split(b"HTTP/1.1 ")[1:]

    assert first.endswith(b"GET /a - ")
    assert second.startswith(b"400 Bad Request\r\n")
    assert second.endswith(b'{"detail":"Bad Request","error":"Bad Request"}')
    assert b"\r\nConnection: close\r\n" in second
    server.log.warning.assert_called_once()
    assert "nonsense" not in str(server.log.mock_calls)


def test_expect_100_continue(serve: Serve) -> None:
    """A client that waits must be told to send its body, unless that is too large."""
    server = serve()
    client = server.connect(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    interim = client.recv(4096)
    client.sendall(b"hi" + LAST)

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert b"POST /a 2 hi" in received(client)
    both = server.connect(GET + POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    before = b""
    while not before.endswith(interim):  # after the response to the request before
        before += both.recv(4096)
    assert before.index(b"GET /a - ") < before.index(interim)
    large = server.exchange(POST + b"Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n")
    assert large.endswith(b"POST /a 65537 ")


def test_a_large_body_is_not_read(serve: Serve) -> None:
    """The application must respond before the client has sent the rest."""
    server = serve()
    client = server.connect(POST + b"Content-Length: 300000000\r\n\r\n" + b"x" * 100_000)

    response = received(client)

    assert response.endswith(b"POST /a 300000000 ")
    wait_until(lambda: not server.worker.connections)


def test_a_client_that_stops_sending_gets_its_response(serve: Serve) -> None:
    """A client may close its sending side after its request, or in the middle of it."""
    expected = {
        GET: b"GET /a - ",
        POST + b"Content-Length: 9\r\n\r\nhi": b"POST /a 9 ",
        b"GET /a HTTP/1.1\r\n": b'{"detail":"Bad Request","error":"Bad Request"}',
        b"": b"",
    }
    server = serve()

    def response(sent: bytes) -> bytes:
        client = server.connect(sent)
        client.shutdown(socket.SHUT_WR)
        return received(client).rpartition(b"\r\n\r\n")[2]

    assert {sent: response(sent) for sent in expected} == expected


def test_a_slow_reader_gets_everything(serve: Serve) -> None:
    """What a client does not take at once must be sent later, without a copy, and in order."""
    server = serve(responding(BIG[:1], BIG[1:], length=len(BIG)))
    client = server.connect(LAST)
    wait_until(lambda: any(each.unsent for each in server.worker.connections.values()))

    response = b""
    while part := client.recv(100_000):
        response += part
        time.sleep(0.0001)

    assert response.partition(b"\r\n\r\n")[2] == BIG


def test_a_client_that_reads_little_by_little_is_kept(
    serve: Serve, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever makes progress must not be disconnected when the time is over."""
    settings.CLIENT_SECONDS["send"] = 0.2
    has_progress = Mock(return_value=True)
    monkeypatch.setattr(Connection, "has_progress", has_progress)
    server = serve(responding(BIG, length=len(BIG)))
    client = server.connect(LAST)

    wait_until(lambda: has_progress.call_count == 4)

    assert len(received(client)) > len(BIG)


def test_progress_is_seen_in_the_kernel() -> None:
    """The kernel asks for more only rarely, but knows what the client has received."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), timeout=SECONDS) as client,
        listener.accept()[0] as sock,
    ):
        sock.setblocking(False)
        connection = Connection(sock, Mock(), 0.0)
        connection.send(b"", BIG)
        wait_until(lambda: not connection.has_progress())

        client.recv(1 << 20)

        wait_until(connection.has_progress)
        sock.close()
        assert not connection.has_progress()


def test_a_client_that_sends_many_requests_before_it_reads(serve: Serve) -> None:
    """The server must wait for it, and lose nothing."""
    server = serve(responding(BIG[:8000], length=8000))
    client = server.connect(GET * 3000 + LAST)
    wait_until(lambda: any(each.unsent for each in server.worker.connections.values()))

    response = received(client)

    assert (response.count(b"HTTP/1.1 200 OK"), response.count(BIG[:8000])) == (3001, 3001)


def test_a_client_that_does_not_read_is_disconnected(serve: Serve, settings: Any) -> None:
    """Without progress for SEND_TIMEOUT, the connection must be closed."""
    settings.CLIENT_SECONDS["send"] = 0.2
    server = serve(responding(BIG, length=len(BIG)))
    client = server.connect(GET)

    wait_until(lambda: len(server.worker.connections) == 1)
    wait_until(lambda: not server.worker.connections)
    assert len(received(client)) < len(BIG)


def test_what_is_sent_while_the_client_takes_nothing() -> None:
    """It must be kept, and sent in order."""
    sock, client = socket.socketpair()
    with sock, client:
        sock.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                sock.send(b"." * 1000)
        connection = Connection(sock, Mock(), 0.0)
        connection.send(b"first ", b"second ")
        connection.send(b"third")
        assert b"".join(connection.unsent) == b"first second third"
        assert connection.flush() is False
        client.setblocking(False)
        with suppress(BlockingIOError):
            while client.recv(1 << 20):
                pass
        assert connection.flush() is True
        assert client.recv(100) == b"first second third"


class Parts:
    """A streamed body, which fails or waits on request."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts = parts
        self.fails_to_close = False
        self.closed = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Respond, as a WSGI application."""
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts."""
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    def close(self) -> None:
        """Note that the response has ended."""
        self.closed.set()
        if self.fails_to_close:
            raise ValueError


def test_a_stream_is_closed(serve: Serve) -> None:
    """However a stream ends, the application must be told."""
    whole, failing, unread = Parts(b"a", b"b"), Parts(b"a", ValueError("no")), Parts(b"a", BIG, BIG)

    assert serve(whole).exchange(LAST).endswith(b"\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
    server = serve(failing)
    assert server.exchange(GET).endswith(b"\r\n\r\n1\r\na\r\n")  # visibly incomplete
    server.log.exception.assert_called_once()
    client = serve(unread).connect(GET)
    client.recv(1)
    client.close()
    assert [each.closed.wait(SECONDS) for each in (whole, failing, unread)] == [True] * 3


@pytest.mark.parametrize("error", [ValueError("no"), OSError("no such file")], ids=type)
def test_an_application_that_fails(serve: Serve, error: Exception) -> None:
    """The client must get a 500, and the log the cause."""
    app = Parts(error)
    server = serve(app)

    response = server.exchange(GET)

    assert response.startswith(b"HTTP/1.1 500 ")
    assert response.endswith(b'"error":"Internal Server Error"}')
    assert app.closed.is_set()
    server.log.exception.assert_called_once()


def test_the_log_entry_of_a_failure_has_the_request_id(serve: Serve) -> None:
    """A download that breaks off must be found by its id, and no later entry must have the id."""
    ids = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["todo_project.request_id"] = "export-1"
        return Parts(b"a", ValueError("no"))(environ, start_response)  # type: ignore[no-any-return]

    server = serve(app)
    server.log.exception.side_effect = lambda *_: ids.append(current_request_id.get())
    server.log.warning.side_effect = server.log.exception.side_effect
    server.exchange(GET)
    server.exchange(b"nonsense\r\n\r\n")

    assert ids == ["export-1", None]


def test_an_application_that_fails_to_end(serve: Serve) -> None:
    """The log must have the cause, and the thread must go on."""
    app = Parts(b"a", BIG, BIG)
    app.fails_to_close = True
    server = serve(app)
    for _ in range(30):
        client = server.connect(GET)
        client.recv(1)
        client.close()

    wait_until(lambda: server.log.exception.call_count == 30)
    wait_until(lambda: not server.worker.connections)


def test_an_event_while_a_connection_is_served_is_not_lost(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that arrive just before a thread leaves a connection must be read by it."""
    server = serve()
    read_and_send = getattr(server.worker, "_read_and_send")  # noqa: B009 - it is private
    served = []

    def interrupted(connection: Any, buffer: memoryview) -> Any:
        lane = read_and_send(connection, buffer)
        served.append(lane)
        connection.has_news |= served.count(None) == 1
        return lane

    monkeypatch.setattr(server.worker, "_read_and_send", interrupted)
    client = server.connect(GET)
    client.recv(4096)

    wait_until(lambda: served.count(None) == 2)


def test_a_fault_of_the_event_loop_ends_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waits for events must go on after any error."""
    server = serve()
    monkeypatch.setattr(server.worker, "accept", Mock(side_effect=[KeyError, server.worker.accept]))
    server.connect()
    wait_until(lambda: server.log.exception.call_count)
    monkeypatch.undo()

    assert b"GET /last" in server.exchange(LAST)


def test_a_connection_that_cannot_be_watched() -> None:
    """It must be closed, and accepting must pause instead of ending the worker."""
    server = Running(echo)
    worker, number = server.worker, server.listener.fileno()
    epoll = Mock()
    epoll.register.side_effect = OSError(errno.ENOSPC, "no watches")
    vars(worker).update(listeners={number: server.listener}, _environs={number: {}}, epoll=epoll)
    vars(worker).update(_seconds={"head": 60}, _max_connections=9, _max_body_bytes=9)
    client = server.connect()

    worker.is_accepting = True
    assert worker.accept(number) is True
    assert (received(client), worker.connections, worker.is_accepting) == (b"", {}, False)
    getattr(worker, "_start_accepting")()  # noqa: B009 - it is private
    assert not worker.is_accepting
    for file in (client, server.listener, worker.tmp):
        file.close()
    for pipe in worker.PIPE:
        os.close(pipe)


def test_a_fault_of_the_server_ends_only_its_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread must go on, and the log must have the cause."""
    server = serve()
    with monkeypatch.context() as patch:
        patch.setattr("todo_project.server.requests.RequestReader.feed", Mock(side_effect=KeyError))
        responses = [server.exchange(GET) for _ in range(30)]

    assert responses == [b""] * 30
    assert server.log.exception.call_count == 30
    assert b"GET /last" in server.exchange(LAST)


def test_a_request_that_computes_for_long_delays_no_other(serve: Serve) -> None:
    """Its thread must lose the turn, although it does not wait for the database."""
    going_on = threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        while environ["PATH_INFO"] == "/a" and not going_on.is_set():
            pass
        return echo(environ, start_response)

    server = serve(app)
    slow = server.connect(GET)
    quick = [server.exchange(LAST) for _ in range(3)]
    going_on.set()

    assert [b"GET /last" in response for response in quick] == [True] * 3
    assert b"GET /a" in slow.recv(4096)


@pytest.mark.parametrize(
    ("limit", "sent", "status"),
    [
        ("head", b"", b""),
        ("head", b"GET /a", b"HTTP/1.1 408 "),
        ("body", POST + b"Content-Length: 2\r\n\r\n{", b"HTTP/1.1 408 "),
        ("body", POST + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", b"HTTP/1.1 408 "),
        ("idle", GET, b"HTTP/1.1 200 "),
    ],
)
def test_a_late_client_is_disconnected(
    serve: Serve, settings: Any, limit: str, sent: bytes, status: bytes
) -> None:
    """A head, a body and the next request must come in time; a byte now and then is no excuse."""
    settings.CLIENT_SECONDS[limit] = 0.2
    client = serve(keepalive=1 if limit == "idle" else 60).connect()
    with suppress(OSError):  # the server has closed the connection
        for byte in sent:
            client.sendall(bytes([byte]))
            time.sleep(0.02 if limit == "head" else 0)

    response = received(client)

    assert response[: len(status) or 1] == status
    assert response.count(b"HTTP/1.1") == (status != b"")


class Blocking:
    """An application whose requests wait, except those of ``/health``."""

    def __init__(self) -> None:
        self.going_on = threading.Event()
        self.running: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Respond when told to."""
        path = environ["PATH_INFO"]
        self.running.append(path)
        if path != "/health":
            assert self.going_on.wait(SECONDS)
        return echo(environ, start_response)


def test_each_lane_has_its_own_threads(serve: Serve, settings: Any) -> None:
    """Requests that wait must not hold up other kinds, nor be forgotten."""
    settings.ROOT_PATH = "/todo"
    app = Blocking()
    server = serve(app)

    def get(path: str) -> socket.socket:
        return server.connect(LAST.replace(b"/last", path.encode()))

    api = [get("/todo/api/a/tasks") for _ in range(API_CONNECTIONS + 5)]
    wait_until(lambda: len(app.running) == API_CONNECTIONS)
    staff = [get("/todo/admin/") for _ in range(STAFF_CONNECTIONS + 3)]
    wait_until(lambda: len(app.running) == API_CONNECTIONS + STAFF_CONNECTIONS)
    health = received(get("/health"))
    begun = sorted(app.running)
    app.going_on.set()
    rest = [received(client) for client in (*api, *staff)]

    assert b"GET /health - " in health
    expected = ["/todo/api/a/tasks"] * API_CONNECTIONS + ["/todo/admin/"] * STAFF_CONNECTIONS
    assert begun == sorted([*expected, "/health"])
    assert [response.startswith(b"HTTP/1.1 200 ") for response in rest] == [True] * len(rest)


@pytest.mark.parametrize("is_on", [True, False])
def test_requests_that_wait_are_measured(
    serve: Serve, settings: Any, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    """With ``METRICS``, and only then, the worker must report how many requests wait."""
    settings.METRICS = is_on
    found: set[int] = set()
    monkeypatch.setattr("todo_project.metrics.measure_connections", found.add)
    app = Blocking()
    server = serve(app)
    clients = [server.connect(LAST) for _ in range(API_CONNECTIONS + 5)]
    wait_until(lambda: 5 in found or not is_on)
    app.going_on.set()
    assert all(received(client).endswith(b"GET /last - ") for client in clients)
    found.clear()

    wait_until(lambda: found == {0} or not is_on)
    assert found <= ({0} if is_on else set())


def test_a_client_that_disconnects_while_it_waits(serve: Serve) -> None:
    """Its request may run, but its connection must be closed."""
    app = Blocking()
    server = serve(app)
    for _ in range(API_CONNECTIONS + 5):
        server.connect(GET)
    wait_until(lambda: len(server.worker.connections) == API_CONNECTIONS + 5)
    for client in server.clients:
        client.close()
    app.going_on.set()

    wait_until(lambda: not server.worker.connections)
    assert received(server.connect(LAST)).endswith(b"GET /last - ")


def test_a_client_that_resets_its_connection_while_it_waits(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection, closed when the response cannot be sent, must not be closed twice."""
    app = Blocking()
    server = serve(app)
    client = server.connect(GET)
    wait_until(lambda: app.running)
    [connection] = connections(server)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    wait_until(lambda: connection.has_news)
    close = Mock()
    monkeypatch.setattr("todo_project.server.requests.RequestReader.close", close)
    app.going_on.set()

    wait_until(lambda: not server.worker.connections)
    wait_until(lambda: not connection.owner.locked())
    close.assert_called_once()


def test_silent_clients_make_room(serve: Serve) -> None:
    """At the limit, the connection that has waited longest must be closed for a new one."""
    server = serve(worker_connections=5)
    silent = [server.connect() for _ in range(5)]
    wait_until(lambda: len(server.worker.connections) == 5)

    assert [b"GET /last" in server.exchange(LAST) for _ in range(20)] == [True] * 20
    assert received(silent[0]) == b""


def test_the_most_frequent_kind_makes_room(serve: Serve) -> None:
    """Of many idle clients the oldest must go, not the one that is just sending its request."""
    server = serve(worker_connections=3)
    idle = server.connect(GET)
    wait_until(lambda: [each.waits_for for each in connections(server)] == ["idle"])
    server.connect(GET)
    wait_until(lambda: [each.waits_for for each in connections(server)] == ["idle", "idle"])
    assert idle.recv(4096)
    sending = server.connect(POST + b"Content-Length: 2\r\n\r\nh")
    wait_until(lambda: [each for each in connections(server) if each.waits_for == "body"])

    assert b"GET /last" in server.exchange(LAST)
    sending.sendall(b"i")
    assert b"POST /a 2 hi" in sending.recv(4096)
    assert received(idle) == b""


def test_busy_clients_do_not_make_room(serve: Serve) -> None:
    """While all connections are in use, new ones must wait."""
    app = Blocking()
    server = serve(app, worker_connections=3)
    busy = []
    for number in range(1, 5):  # the last one shows that there is no room
        busy.append(server.connect(LAST))
        wait_until(lambda: len(app.running) == number)  # noqa: B023 - called at once
    late = server.connect(LAST)
    assert not server.worker.is_accepting
    app.going_on.set()

    assert [b"GET /last" in received(client) for client in (*busy, late)] == [True] * 5


def test_out_of_files(serve: Serve) -> None:
    """Without free descriptors, accepting must pause, and then go on."""
    server = serve()
    listener = Mock()
    listener.accept.side_effect = [OSError(errno.EMFILE, "full"), OSError(errno.ECONNABORTED, "")]
    number = server.listener.fileno()
    wait_until(lambda: server.worker.is_accepting)
    server.worker.listeners = {number: listener}

    assert server.worker.accept(number) is False
    assert not server.worker.is_accepting
    assert server.worker.accept(number) is True  # there may be another one
    server.worker.listeners = {number: server.listener}
    assert b"GET /last" in server.exchange(LAST)


def test_a_stopping_worker_serves_who_has_connected(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that run or are on their way must be served; later clients must be refused."""
    monkeypatch.setattr(module, "LINGER_SECONDS", SECONDS)
    app = Blocking()
    server = serve(app)
    running = server.connect(GET)
    wait_until(lambda: len(app.running) == 1)
    connected = server.connect()

    server.begin_to_stop()
    wait_until(lambda: server.worker.is_stopping and server.listener.fileno() == -1)
    connected.sendall(GET)
    app.going_on.set()
    with running, connected:
        responses = [received(running), received(connected)]

    assert [b"\r\nConnection: close\r\n" in response for response in responses] == [True] * 2
    with pytest.raises(ConnectionRefusedError):
        server.connect()
    server.thread.join(SECONDS)
    assert not server.thread.is_alive()


def test_idle_clients_do_not_delay_the_end(serve: Serve) -> None:
    """An idle connection must be closed soon, and one that never sends as well."""
    server = serve()
    clients = [server.connect(), server.connect(GET)]
    clients[1].recv(4096)

    server.begin_to_stop()

    assert [received(client) for client in clients] == [b"", b""]


def test_a_request_that_does_not_end(serve: Serve) -> None:
    """A worker must end after ``graceful_timeout``."""
    app = Blocking()
    server = serve(app, graceful_timeout=1)
    server.connect(GET)
    wait_until(lambda: app.running)
    server.begin_to_stop()

    wait_until(lambda: server.worker.has_stopped)
    app.going_on.set()


def test_gunicorns_max_requests(serve: Serve) -> None:
    """After this many requests, a worker must end."""
    server = serve(max_requests=2)
    assert b"GET /last" in server.exchange(LAST)
    assert server.worker.alive
    assert b"GET /last" in server.exchange(LAST)
    server.thread.join(SECONDS)
    assert not server.thread.is_alive()


def test_a_unix_socket(tmp_path: Path) -> None:
    """A client on a Unix socket has no address."""
    environs: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environs.append(environ)
        return echo(environ, start_response)

    server = Running(app)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        server.start(listener)
        client.connect(str(tmp_path / "socket"))
        client.sendall(LAST)
        assert b"GET /last" in received(client)
        server.stop()
    assert environs[0]["REMOTE_ADDR"] == ""


def test_forwarded_headers_change_nothing(serve: Serve) -> None:
    """Only Django may decide whether to trust a proxy (TRUST_PROXY)."""
    environs: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environs.append(environ)
        return echo(environ, start_response)

    serve(app).exchange(
        b"GET /x/y HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /x\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n"
    )

    names = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR")
    assert [environs[0][name] for name in names] == ["http", "", "/x/y", "127.0.0.1"]


@pytest.mark.parametrize("age", [2, 3])
def test_a_replacement_that_cannot_start_does_not_stop_the_server(
    monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    """At the start of the server, an application that cannot be loaded must stop it."""
    server, error = Running(echo, workers=2), ValueError("a setting is invalid")
    worker, app = server.worker, Mock(**{"wsgi.side_effect": error})
    vars(worker).update(age=age, app=app, reloader=None)
    monkeypatch.setattr(module, "RESTART_SECONDS", 0)

    with pytest.raises((ValueError, SystemExit)) as caught:
        worker.load_wsgi()

    assert (caught.value is error, worker.log.exception.called) == (age == 2, age == 3)
    assert age == 2 or caught.value.args == (1,)
    server.listener.close()
    worker.tmp.close()
    for number in worker.PIPE:
        os.close(number)


def test_tls_is_refused() -> None:
    """TLS must be refused at the start instead of being ignored."""
    cfg = Config()
    Worker.check_config(cfg, None)
    cfg.set("certfile", "cert.pem")
    with pytest.raises(SystemExit, match="TLS ends at the proxy"):
        Worker.check_config(cfg, None)
