"""The gunicorn worker: connections in threads, and the backlog when the worker stops."""

import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest
from gunicorn.config import Config, Setting
from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from todo_project.server.worker import Response, Worker
from todo_project.tests.settings_loader import load_served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = GET.replace(b"Host: a", b"Connection: close")
POST = b"POST / HTTP/1.1\r\nHost: a\r\n%s\r\n"
UNREAD = POST % b"Content-Length: 5\r\n" + b"12345"
CHUNKED = POST % b"Transfer-Encoding: chunked\r\n" + b"2\r\nhi\r\n0\r\n\r\n"
BODY = b"hello"


class Connection:
    """A worker, one of its connections, and the client at the other end."""

    def __init__(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
        self.environ: dict[str, Any] = {}
        self.headers = [("Content-Length", str(len(BODY)))]
        self.parts: Iterable[bytes] = [BODY]
        worker: type[Any] = Worker
        self.worker = worker(0, 0, [], None, 30, Config(), Mock())
        self.worker.wsgi = self.serve
        self.sock, self.client = socket.socketpair(type=kind)
        self.client.settimeout(10)
        self.conn = TConn(self.worker.cfg, self.sock, ("127.0.0.1", 1), ("127.0.0.1", 8000))

    def serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Respond, as a WSGI application."""
        self.environ = environ
        start_response("200 OK", self.headers)
        return self.parts

    def handle(self, sent: bytes = b"", *, last: bool = False) -> Any:
        """Send bytes and handle them; return whether the connection is kept open."""
        if sent:
            self.client.sendall(sent)
        if last:  # otherwise gunicorn waits two seconds for more data
            self.client.shutdown(socket.SHUT_WR)
        return self.worker.handle(self.conn)

    def responses(self) -> int:
        """Return how many responses were sent since the last call."""
        return self.client.recv(4096).count(b"HTTP/1.1 200 OK")

    def close(self) -> None:
        """Close the files and sockets."""
        for file in (self.worker.tmp, self.sock, self.client):
            file.close()


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Connect a client to a worker."""
    connection = Connection()
    yield connection
    connection.close()


@pytest.mark.parametrize("sent", [GET, UNREAD, CHUNKED], ids=["bare", "unread", "chunked"])
def test_requests_on_one_connection_stay_in_sync(connection: Connection, sent: bytes) -> None:
    """An unread body must be drained, and a request that was read ahead kept."""
    first = connection.handle(sent + GET), connection.responses()
    second = connection.handle(), connection.responses()
    third = connection.handle(GET), connection.responses()

    assert [first, second, third] == [(True, 1)] * 3


def test_gunicorn_drains_only_unread_bodies(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gunicorn must drain the body of a request only if some of it is unread."""
    drain = Mock(return_value=False)
    monkeypatch.setattr(ThreadWorker, "_keepalive_after", drain)

    assert [connection.handle(GET), drain.called] == [True, False]
    assert [connection.handle(UNREAD), drain.called] == [False, True]


def test_a_malformed_later_request_is_refused(connection: Connection) -> None:
    """A malformed later request must be refused like a malformed first one."""
    kept = connection.handle(GET + b"nonsense\r\n\r\n", last=True)
    assert (kept, connection.responses()) == (True, 1)
    assert connection.handle() is False
    assert b"HTTP/1.1 400 Bad Request" in connection.client.recv(4096)


def failing() -> Iterator[bytes]:
    """Fail after the headers are sent, whereupon gunicorn closes the connection."""
    yield BODY[:2]
    raise RuntimeError


@pytest.mark.parametrize("parts", [lambda: [BODY], failing], ids=["whole", "failing"])
def test_the_main_thread_does_not_close_connections(
    connection: Connection, parts: Callable[[], Iterable[bytes]]
) -> None:
    """A client that does not close its side must not block the accept loop."""
    connection.parts = parts()
    connection.worker.nr_conns = 5
    future: Future[Any] = Future()

    future.set_result(connection.handle(LAST + GET, last=True))
    received = connection.client.makefile("rb").read()
    connection.worker.finish_request(connection.conn, future)

    assert received.count(b"HTTP/1.1 200 OK") == 1
    assert (future.result(), connection.worker.nr_conns) == (False, 4)


def test_caching_does_not_change_the_settings(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caching must not change the value of any setting."""
    monkeypatch.setattr(ThreadWorker, "init_process", lambda worker: None)
    cfg = connection.worker.cfg
    before = {name: getattr(cfg, name) for name in cfg.settings}

    connection.worker.init_process()

    assert {name: getattr(cfg, name) for name in cfg.settings} == before
    monkeypatch.setattr(Setting, "get", Mock(side_effect=AssertionError))
    assert cfg.keepalive == before["keepalive"]  # not looked up again


def test_gunicorn_ignores_forwarded_headers(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only Django may decide whether to trust a proxy (TRUST_PROXY)."""
    served = load_served(monkeypatch)
    for name in ("forwarded_allow_ips", "forwarder_headers", "secure_scheme_headers"):
        connection.worker.cfg.set(name, served[name])

    connection.handle(
        b"GET /x/y HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /x\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Protocol: ssl\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
    )

    names = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR")
    assert [connection.environ[name] for name in names] == ["http", "", "/x/y", "127.0.0.1"]


def test_a_response_matches_gunicorns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending headers and body in one call must not change a byte."""
    monkeypatch.setattr("gunicorn.util.http_date", lambda: "now")
    parts = {"whole": [BODY], "pieces": [b"he", b"llo"], "late": [b"", BODY], "empty": []}
    cases = list(product(parts, ["0", "3", "5", "9", None], [b"GET", b"HEAD"]))

    def exchange(response: Any, name: str, length: str | None, method: bytes) -> tuple[Any, bytes]:
        monkeypatch.setattr(wsgi, "Response", response)
        connection = Connection()
        connection.parts = parts[name]
        connection.headers = [("X-A", "\xe9"), *([("Content-Length", length)] if length else [])]
        kept = connection.handle(GET.replace(b"GET", method))
        connection.sock.close()
        received = connection.client.makefile("rb").read()
        connection.close()
        return kept, received

    received_by_case = {case: exchange(Response, *case) for case in cases}
    assert received_by_case == {case: exchange(Response.__base__, *case) for case in cases}
    assert {received[:17] for _, received in received_by_case.values()} == {b"HTTP/1.1 200 OK\r\n"}


def test_a_response_is_sent_as_one_packet() -> None:
    """Headers and body must be in one packet."""
    connection = Connection(socket.SOCK_SEQPACKET)
    connection.handle(GET)

    packet = connection.client.recv(4096)
    connection.close()
    assert packet.startswith(b"HTTP/1.1 200 OK\r\n")
    assert packet.endswith(b"\r\n\r\n" + BODY)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """Create a worker that accepts connections and closes them."""
    unused: Any = None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = Worker(0, 0, [listener], unused, 30, Config(), unused)
        worker.poller = selectors.DefaultSelector()
        monkeypatch.setattr(worker, "enqueue_req", lambda conn: conn.close())
        worker.set_accept_enabled(True)
        yield worker
        worker.tmp.close()
        worker.poller.close()


def test_a_stopping_worker_accepts_its_backlog(worker: Worker) -> None:
    """Established connections must be served, later ones refused."""
    address = worker.sockets[0].getsockname()
    clients = [socket.create_connection(address) for _ in range(3)]

    worker.alive = False
    worker.set_accept_enabled(False)

    assert worker.nr_conns == 3
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    for client in clients:
        client.close()


def test_a_busy_worker_keeps_listening(worker: Worker) -> None:
    """New connections must wait, not be refused."""
    worker.set_accept_enabled(False)

    with socket.create_connection(worker.sockets[0].getsockname()):
        assert worker.nr_conns == 0
        worker.set_accept_enabled(True)
        worker.wait_for_and_dispatch_events(10)
    assert worker.nr_conns == 1
