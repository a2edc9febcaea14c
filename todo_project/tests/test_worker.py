"""What a thread does with a client, and what becomes of those who connect at the end."""

import selectors
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any
from unittest.mock import Mock

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from todo_project.tests.settings_loader import load_served
from todo_project.worker import Response, Worker

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n%s\r\n"
UNREAD = POST % b"Content-Length: 5\r\n" + b"12345"
CHUNKED = POST % b"Transfer-Encoding: chunked\r\n" + b"2\r\nhi\r\n0\r\n\r\n"
BODY = b"hello"


class Thread:
    """A worker's thread, its connection, and the client at the other end of that."""

    def __init__(self) -> None:
        self.asked = 0
        self.environ: dict[str, Any] = {}
        self.headers = [("Content-Length", str(len(BODY)))]
        self.parts: Iterable[bytes] = [BODY]
        worker: type[Any] = Worker
        self.worker = worker(0, 0, [], None, 30, Config(), Mock())
        self.worker.wsgi = self.serve
        self.sock, self.client = socket.socketpair()
        self.conn = TConn(self.worker.cfg, self.sock, ("127.0.0.1", 1), ("127.0.0.1", 8000))

    def serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer."""
        self.asked += 1
        self.environ = environ
        start_response("200 OK", self.headers)
        return self.parts

    def handle(self, sent: bytes) -> Any:
        """Send something and let the thread handle it; return whether the connection is kept."""
        self.client.sendall(sent)
        return self.worker.handle(self.conn)


@pytest.fixture
def thread() -> Iterator[Thread]:
    """Make a thread that has a client."""
    thread = Thread()
    yield thread
    thread.worker.tmp.close()
    thread.sock.close()
    thread.client.close()


def test_one_request_after_the_other_is_answered(thread: Thread) -> None:
    """A connection that is kept must be as good as a new one."""
    assert [thread.handle(GET) for _ in range(3)] == [True] * 3
    assert thread.asked == 3
    assert thread.client.recv(4096).count(b"HTTP/1.1 200 OK") == 3


def test_a_request_that_was_read_ahead_is_kept(thread: Thread) -> None:
    """Bytes that are no longer in the socket must be the next request."""
    assert thread.handle(GET + GET) is True
    assert thread.asked == 1
    assert thread.worker.handle(thread.conn) is True
    assert thread.asked == 2


def test_what_cannot_be_read_is_refused(thread: Thread) -> None:
    """A later request must be refused like the first of a connection."""
    assert thread.handle(GET + b"nonsense\r\n\r\n") is True
    assert thread.worker.handle(thread.conn) is False
    assert b"HTTP/1.1 400 Bad Request" in thread.client.recv(4096)


@pytest.mark.parametrize("sent", [UNREAD, CHUNKED], ids=["unread", "chunked"])
def test_a_body_that_may_be_left_is_for_gunicorn_to_drain(thread: Thread, sent: bytes) -> None:
    """What nobody has read must not be taken for the next request."""
    assert thread.handle(sent + GET) is True
    assert thread.asked == 1
    assert thread.worker.handle(thread.conn) is True
    assert thread.asked == 2


def test_an_answer_that_ends_with_its_connection_is_the_last(thread: Thread) -> None:
    """What the client was told is closed must be closed."""
    assert thread.handle(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n" + GET) is False
    assert thread.asked == 1


@pytest.mark.parametrize("has_left", [False, True])
def test_the_main_thread_waits_for_nobody(
    thread: Thread, monkeypatch: pytest.MonkeyPatch, has_left: bool
) -> None:
    """Clients that do not close what is over must not keep everybody else waiting."""
    closed: list[Any] = []
    error = OSError("it has left") if has_left else None
    monkeypatch.setattr("gunicorn.util.close_graceful", Mock(side_effect=[error]))
    monkeypatch.setattr("gunicorn.util.close", closed.append)
    thread.worker.nr_conns = 5
    over: Future[Any] = Future()

    over.set_result(thread.handle(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"))
    thread.worker.finish_request(thread.conn, over)

    assert (thread.worker.nr_conns, closed) == (4, [])


def test_the_settings_are_read_once(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each must be what it was."""
    monkeypatch.setattr(ThreadWorker, "init_process", lambda worker: None)
    cfg = thread.worker.cfg
    before = {name: getattr(cfg, name) for name in cfg.settings}

    thread.worker.init_process()

    assert {name: getattr(cfg, name) for name in cfg.settings} == before
    assert vars(cfg)["limit_request_fields"] == 100


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


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("length", ["0", "3", "5", "9", None])
@pytest.mark.parametrize(
    "parts", [[BODY], [b"he", b"llo"], [b"", BODY], []], ids=["whole", "pieces", "late", "empty"]
)
def test_an_answer_is_what_gunicorn_would_send(
    monkeypatch: pytest.MonkeyPatch, parts: list[bytes], length: str | None, method: bytes
) -> None:
    """To send headers and body at once must change no byte of them."""
    monkeypatch.setattr("gunicorn.util.http_date", lambda: "now")
    received = []
    for response in (Response, wsgi.Response.__base__):
        monkeypatch.setattr(wsgi, "Response", response)
        thread = Thread()
        thread.parts = parts
        thread.headers = [("X-A", "\xe9"), *([("Content-Length", length)] if length else [])]
        kept = thread.handle(GET.replace(b"GET", method))
        thread.sock.close()
        received.append((kept, thread.client.makefile("rb").read()))
        thread.client.close()
        thread.worker.tmp.close()

    assert received[0] == received[1]
    assert received[0][1].startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_answer_is_sent_at_once(thread: Thread) -> None:
    """A client must not have to wait for the body."""
    sock = Mock(wraps=thread.sock)
    thread.conn.sock = sock

    thread.handle(GET)

    assert sock.sendall.call_count == 1


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen, as the processes do that share a socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def worker(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """Make a process that accepts, and that only takes note of whom."""
    unused: Any = None
    worker = Worker(0, 0, [listener], unused, 30, Config(), unused)
    worker.poller = selectors.DefaultSelector()
    monkeypatch.setattr(worker, "enqueue_req", lambda conn: conn.close())
    worker.set_accept_enabled(True)
    yield worker
    worker.tmp.close()
    worker.poller.close()


def test_whoever_has_connected_is_accepted_before_the_end(
    worker: Worker, listener: socket.socket
) -> None:
    """A request that was sent must be answered; a connection that comes later be refused."""
    address = listener.getsockname()
    clients = [socket.create_connection(address) for _ in range(3)]

    worker.alive = False
    worker.set_accept_enabled(False)

    assert worker.nr_conns == 3
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    for client in clients:
        client.close()


def test_a_process_that_has_enough_to_do_goes_on_listening(
    worker: Worker, listener: socket.socket
) -> None:
    """Who connects then must wait, and not be refused."""
    worker.set_accept_enabled(False)

    with socket.create_connection(listener.getsockname()):
        assert worker.nr_conns == 0
        worker.set_accept_enabled(True)
        worker.wait_for_and_dispatch_events(1)
    assert worker.nr_conns == 1
