"""What becomes of those who connect while a process stops (README, Rolling updates)."""

import selectors
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config

from todo_project.worker import Worker


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
