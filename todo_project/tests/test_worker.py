"""How long a thread stays with a client."""

import io
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
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
    conn: Connection, monkeypatch: pytest.MonkeyPatch, *kept: Any, alive: bool = True
) -> Any:
    """Let a worker handle a connection; return what it says, and what was not asked for."""
    answers = list(kept)
    monkeypatch.setattr(ThreadWorker, "handle", lambda worker, conn: answers.pop(0))
    worker = Worker.__new__(Worker)
    worker.alive = alive
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


@pytest.mark.parametrize("kept", [False, object()])
def test_a_connection_that_is_not_kept_is_given_back(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, kept: Any
) -> None:
    """One that is closed, or that has sent nothing yet, must be gunicorn's again."""
    conn.client.send(b"GET / HTTP/1.1")

    assert handled(conn, monkeypatch, kept, True) == (kept, [True])
