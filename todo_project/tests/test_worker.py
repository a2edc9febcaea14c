"""What a thread does with a client, and what becomes of those who connect at the end."""

import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest
from gunicorn.config import Config
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


class Thread:
    """A worker's thread, its connection, and the client at the other end of that."""

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
        """Answer."""
        self.environ = environ
        start_response("200 OK", self.headers)
        return self.parts

    def handle(self, sent: bytes = b"", *, last: bool = False) -> Any:
        """Let the thread handle what is sent; return whether the connection is kept."""
        if sent:
            self.client.sendall(sent)
        if last:  # else gunicorn waits two seconds for more
            self.client.shutdown(socket.SHUT_WR)
        return self.worker.handle(self.conn)

    def answers(self) -> int:
        """Count the answers that have arrived since the last call."""
        return self.client.recv(4096).count(b"HTTP/1.1 200 OK")

    def close(self) -> None:
        """Leave nothing open."""
        for each in (self.worker.tmp, self.sock, self.client):
            each.close()


@pytest.fixture
def thread() -> Iterator[Thread]:
    """Make a thread that has a client."""
    thread = Thread()
    yield thread
    thread.close()


@pytest.mark.parametrize("sent", [GET, UNREAD, CHUNKED], ids=["bare", "unread", "chunked"])
def test_what_follows_a_request_is_the_next_one(thread: Thread, sent: bytes) -> None:
    """A body that nobody read must be drained, and what was read ahead be kept."""
    first = thread.handle(sent + GET), thread.answers()
    second = thread.handle(), thread.answers()
    third = thread.handle(GET), thread.answers()

    assert [first, second, third] == [(True, 1)] * 3


def test_what_cannot_be_read_is_refused(thread: Thread) -> None:
    """A later request must be refused like the first of a connection."""
    assert (thread.handle(GET + b"nonsense\r\n\r\n", last=True), thread.answers()) == (True, 1)
    assert thread.handle() is False
    assert b"HTTP/1.1 400 Bad Request" in thread.client.recv(4096)


def failing() -> Iterator[bytes]:
    """Fail when the headers are sent: gunicorn closes the connection then."""
    yield BODY[:2]
    raise RuntimeError


@pytest.mark.parametrize("parts", [lambda: [BODY], failing], ids=["whole", "failing"])
def test_a_thread_closes_its_connection_and_the_main_thread_only_counts(
    thread: Thread, parts: Callable[[], Iterable[bytes]]
) -> None:
    """A client that does not close what is over must not keep everybody else waiting."""
    thread.parts = parts()
    thread.worker.nr_conns = 5
    over: Future[Any] = Future()

    over.set_result(thread.handle(LAST + GET, last=True))
    received = thread.client.makefile("rb").read()
    thread.worker.finish_request(thread.conn, over)

    assert received.count(b"HTTP/1.1 200 OK") == 1
    assert (over.result(), thread.worker.nr_conns) == (False, 4)


def test_the_settings_stay_as_they_are(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each must be what it was, although they are read once."""
    monkeypatch.setattr(ThreadWorker, "init_process", lambda worker: None)
    cfg = thread.worker.cfg
    before = {name: getattr(cfg, name) for name in cfg.settings}

    thread.worker.init_process()

    assert {name: getattr(cfg, name) for name in cfg.settings} == before


def test_nobody_is_believed_to_be_a_proxy(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Django decides whom to believe: who connects may say whatever they like."""
    served = load_served(monkeypatch)
    for name in ("forwarded_allow_ips", "forwarder_headers", "secure_scheme_headers"):
        thread.worker.cfg.set(name, served[name])

    thread.handle(
        b"GET /x/y HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /x\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Protocol: ssl\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
    )

    names = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR")
    assert [thread.environ[name] for name in names] == ["http", "", "/x/y", "127.0.0.1"]


def test_an_answer_is_what_gunicorn_would_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """To send headers and body at once must change no byte of them."""
    monkeypatch.setattr("gunicorn.util.http_date", lambda: "now")
    parts = {"whole": [BODY], "pieces": [b"he", b"llo"], "late": [b"", BODY], "empty": []}
    answers = list(product(parts, ["0", "3", "5", "9", None], [b"GET", b"HEAD"]))

    def answered(response: Any, name: str, length: str | None, method: bytes) -> tuple[Any, bytes]:
        monkeypatch.setattr(wsgi, "Response", response)
        thread = Thread()
        thread.parts = parts[name]
        thread.headers = [("X-A", "\xe9"), *([("Content-Length", length)] if length else [])]
        kept = thread.handle(GET.replace(b"GET", method))
        thread.sock.close()
        received = thread.client.makefile("rb").read()
        thread.close()
        return kept, received

    ours = {answer: answered(Response, *answer) for answer in answers}
    assert ours == {answer: answered(Response.__base__, *answer) for answer in answers}
    assert {received[:17] for _, received in ours.values()} == {b"HTTP/1.1 200 OK\r\n"}


def test_an_answer_is_sent_at_once() -> None:
    """A client must not have to wait for the body: one packet must hold all."""
    thread = Thread(socket.SOCK_SEQPACKET)
    thread.handle(GET)

    packet = thread.client.recv(4096)
    thread.close()
    assert packet.startswith(b"HTTP/1.1 200 OK\r\n")
    assert packet.endswith(b"\r\n\r\n" + BODY)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """Make a process that accepts from a socket, and that only takes note of whom."""
    unused: Any = None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = Worker(0, 0, [listener], unused, 30, Config(), unused)
        worker.poller = selectors.DefaultSelector()
        monkeypatch.setattr(worker, "enqueue_req", lambda conn: conn.close())
        worker.set_accept_enabled(True)
        yield worker
        worker.tmp.close()
        worker.poller.close()


def test_whoever_has_connected_is_accepted_before_the_end(worker: Worker) -> None:
    """A request that was sent must be answered; a connection that comes later be refused."""
    address = worker.sockets[0].getsockname()
    clients = [socket.create_connection(address) for _ in range(3)]

    worker.alive = False
    worker.set_accept_enabled(False)

    assert worker.nr_conns == 3
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    for client in clients:
        client.close()


def test_a_process_that_has_enough_to_do_goes_on_listening(worker: Worker) -> None:
    """Who connects then must wait, and not be refused."""
    worker.set_accept_enabled(False)

    with socket.create_connection(worker.sockets[0].getsockname()):
        assert worker.nr_conns == 0
        worker.set_accept_enabled(True)
        worker.wait_for_and_dispatch_events(10)
    assert worker.nr_conns == 1
