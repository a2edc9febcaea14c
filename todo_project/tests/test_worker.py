"""How long a thread stays with a client, and what becomes of those who connect at the end."""

import io
import selectors
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from todo_project.worker import Worker


class Connection:
    """A connection as gunicorn's thread has it, with a client at its other end."""

    def __init__(self) -> None:
        self.sock, self.client = socket.socketpair()
        self.read_ahead = io.BytesIO()
        self.parser = SimpleNamespace(unreader=SimpleNamespace(buf=self.read_ahead))


@pytest.fixture
def conn() -> Iterator[Connection]:
    """Open a connection."""
    conn = Connection()
    yield conn
    conn.sock.close()
    conn.client.close()


def handled(
    conn: Connection,
    monkeypatch: pytest.MonkeyPatch,
    *kept: Any,
    alive: bool = True,
    waiting: int = 0,
) -> Any:
    """Let a worker handle a connection; return what it says, and what was not asked for."""
    answers = list(kept)
    monkeypatch.setattr(ThreadWorker, "handle", lambda worker, conn: answers.pop(0))
    worker = Worker.__new__(Worker)
    worker.alive = alive
    queue = SimpleNamespace(qsize=lambda: waiting)
    monkeypatch.setattr(worker, "tpool", SimpleNamespace(_work_queue=queue), raising=False)
    return worker.handle(conn), answers


def test_the_next_request_of_a_client_is_answered_by_the_same_thread(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sends one after the other must not wait for two switches of threads."""
    conn.client.send(b"GET / HTTP/1.1")

    assert handled(conn, monkeypatch, True, True, False) == (False, [])


def test_a_request_that_was_read_ahead_is_answered(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are no longer in the socket must not wait for more."""
    conn.read_ahead.write(b"GET / HTTP/1.1")

    assert handled(conn, monkeypatch, True, False) == (False, [])


def test_a_client_that_pauses_goes_back(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection must not hold a thread."""
    assert handled(conn, monkeypatch, True, False) == (True, [False])


def test_a_stopping_worker_lets_the_client_go(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stopping must begin nothing more by itself."""
    conn.client.send(b"GET / HTTP/1.1")

    assert handled(conn, monkeypatch, True, False, alive=False) == (True, [False])


def test_a_client_goes_back_where_others_wait(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many busy clients as threads must not keep everybody else out."""
    conn.client.send(b"GET / HTTP/1.1")

    assert handled(conn, monkeypatch, True, False, waiting=1) == (True, [False])


@pytest.mark.parametrize("kept", [False, object()])
def test_a_connection_that_is_not_kept_is_given_back(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, kept: Any
) -> None:
    """One that is closed, or that has sent nothing yet, must be gunicorn's again."""
    conn.client.send(b"GET / HTTP/1.1")

    assert handled(conn, monkeypatch, kept, True) == (kept, [True])


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
