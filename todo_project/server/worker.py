"""The gunicorn worker: connections wait in an event loop, threads only run the application."""

import ctypes
import errno
import os
import resource
import select
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gunicorn.workers.base import Worker as BaseWorker

from todo_project.logs.formatters import current_request_id
from todo_project.server import turns
from todo_project.server.connections import NEVER, Connection
from todo_project.server.lanes import THREADS, Lane, Lanes
from todo_project.server.requests import RefusedError, RequestReader
from todo_project.server.responses import CONTINUE, Response, refusal
from todo_project.server.turns import Turn, Turns

# Seconds for a client to read the last response, or to send the request that is on its way while
# the server stops
LINGER_SECONDS = 2.0
# Of what a client sends after its last request, this much is read and discarded: a connection that
# is closed with unread bytes is reset, and the client may lose the response (RFC 9112 §9.6).
LINGER_BYTES = 64 * 1024
# Until the next attempt to replace a worker
RESTART_SECONDS = 1.0
# Deadlines are checked after this many ticks, and at each one whether a request takes long.
TICKS = 20
TICK_SECONDS = 0.05
# Bytes read at a time; small, so that no more of a refused body is read than necessary
READ_BYTES = 16 * 1024
# Open files that are not connections: the database's, the log's, libraries'
RESERVED_FILES = 100
M_ARENA_MAX = -8  # from malloc.h
OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

READABLE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
HANG_UP = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Worker(BaseWorker):
    """Serves many connections with few threads.

    The threads take turns in waiting for events: the one that gets an event reads, runs the
    application and sends. So no request is handed from one thread to another. The main thread keeps
    the deadlines.

    Source: docs/decisions/0019-event-loop-and-lanes.md.
    """

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse TLS, which ends at the proxy."""
        if cfg.is_ssl:
            sys.exit("certfile and keyfile are not supported: TLS ends at the proxy.")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connections: dict[int, Connection] = {}
        self.is_accepting = self.is_stopping = self.has_stopped = False

    def load_wsgi(self) -> None:
        """Load the application; if a replacement cannot, let gunicorn try again, not stop."""
        try:
            super().load_wsgi()
        except Exception:
            if self.age <= self.cfg.workers:  # at the start of the server
                raise
            self.log.exception("A worker cannot start")
            time.sleep(RESTART_SECONDS)
            sys.exit(1)

    def run(self) -> None:
        """Serve until told to stop, and let the clients finish."""
        from django.conf import settings  # loaded with the application

        self._max_body_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        self._seconds = settings.CLIENT_SECONDS | {
            "idle": self.cfg.keepalive,
            "close": LINGER_SECONDS,
        }
        self._lanes = Lanes(settings.ROOT_PATH)
        self._measure: Callable[[int], None] | None = None
        if settings.METRICS:
            from todo_project.metrics import measure_connections

            self._measure = measure_connections
        self._max_connections = min(self.cfg.worker_connections, _allowed_files() - RESERVED_FILES)
        self.listeners = {listener.fileno(): listener for listener in self.sockets}
        self._environs = {number: _environ(each) for number, each in self.listeners.items()}
        self._ready: deque[Connection] = deque()
        self._turns = Turns()
        self.epoll = select.epoll()
        _use_one_arena()
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        while self.alive and self.ppid == os.getppid():
            if not self.is_accepting and len(self.connections) < self._max_connections:
                self._start_accepting()
            self._keep_house()
        self._stop()
        self.has_stopped = True
        self.epoll.register(self.PIPE[1], select.EPOLLOUT)  # wakes the threads
        ends_at = time.monotonic() + 1.0
        for thread in threads:
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _stop(self) -> None:
        """Serve the clients that have connected, and no others."""
        self.is_stopping = True
        self._stop_accepting()
        for number, listener in self.listeners.items():
            while self.accept(number):
                pass
            listener.close()
        now = time.monotonic()
        while self.connections and time.monotonic() < now + self.cfg.graceful_timeout:
            for connection in list(self.connections.values()):
                if connection.waits_for in ("head", "idle"):
                    connection.deadline = min(connection.deadline, now + LINGER_SECONDS)
            self._keep_house(ticks=1)

    def _keep_house(self, ticks: int = TICKS) -> None:
        """Tell gunicorn that the worker is alive, and find the clients that are late."""
        self.notify()
        if self._measure is not None:
            self._measure(self._lanes.count_waiting())
        now = time.monotonic()
        for connection in list(self.connections.values()):
            if connection.waits_for == "send" and connection.has_progress():
                connection.deadline = now + self._seconds["send"]
            elif connection.deadline < now:
                self._give_up(connection)
        for _ in range(ticks):
            turn = self._turns.holder
            if turn is not None and time.monotonic() - turn.busy_since > TICK_SECONDS:
                turn.pass_on()
            if select.select(self.PIPE[:1], [], [], TICK_SECONDS)[0]:  # a signal
                os.read(self.PIPE[0], 4096)
                return

    def _give_up(self, connection: Connection) -> None:
        """End a connection whose client is late; a thread closes it, woken by the shutdown."""
        is_sending = connection.waits_for == "send"
        connection.deadline = NEVER
        connection.is_late = True
        with suppress(OSError):  # the client has disconnected
            connection.sock.shutdown(socket.SHUT_RDWR if is_sending else socket.SHUT_RD)

    # Accepting

    def _start_accepting(self) -> None:
        self.is_accepting = True
        for number in self.listeners:
            try:
                self.epoll.register(number, select.EPOLLIN | select.EPOLLEXCLUSIVE)
            except OSError as error:  # out of memory, or of watches: the main thread tries again
                self.is_accepting = error.errno == errno.EEXIST

    def _stop_accepting(self) -> None:
        for number in self.listeners:
            with suppress(OSError):  # another thread has done it
                self.epoll.unregister(number)
        self.is_accepting = False

    def accept(self, number: int) -> bool:
        """Accept a connection; return whether there was one."""
        try:
            sock, address = self.listeners[number].accept()
        except OSError as error:
            if error.errno in OUT_OF_RESOURCES:
                self._stop_accepting()  # the main thread starts again
            return error.errno == errno.ECONNABORTED
        sock.setblocking(False)
        environ = self._environs[number]
        if isinstance(address, tuple):  # else a Unix socket
            environ = {**environ, "REMOTE_ADDR": address[0], "REMOTE_PORT": str(address[1])}
        reader = RequestReader(environ, self._max_body_bytes)
        connection = Connection(sock, reader, time.monotonic() + self._seconds["head"])
        if len(self.connections) >= self._max_connections:
            self._make_room()
        self.connections[connection.number] = connection
        try:
            self.epoll.register(connection.number, READABLE)
        except OSError:  # out of memory, or of watches
            self._close(connection)
            self._stop_accepting()
        return True

    def _make_room(self) -> None:
        """End a connection that waits for its client, or else stop accepting.

        It is the oldest of the most frequent kind: a flood of silent clients displaces neither idle
        nor slow ones, and the other way round.
        """
        waiting = [each for each in list(self.connections.values()) if each.deadline < NEVER]
        kinds = Counter(each.waits_for for each in waiting).most_common(1)
        if kinds:
            oldest = [each for each in waiting if each.waits_for == kinds[0][0]]
            self._give_up(min(oldest or waiting, key=lambda connection: connection.deadline))
        else:
            self._stop_accepting()

    # Serving

    def _work(self) -> None:
        """Serve connections; the main function of each thread."""
        turn = turns.of_this_thread.turn = Turn(self._turns)
        buffer = memoryview(bytearray(READ_BYTES))
        while not self.has_stopped:
            turn.take()
            connection = None
            try:
                connection = self._next_ready()
                turn.busy_since = time.monotonic()
                while connection is not None:
                    connection = self._serve(connection, buffer)
            except Exception:
                self.log.exception("A thread has failed")
                time.sleep(TICK_SECONDS)
            finally:
                turn.busy_since = NEVER
        turn.pass_on()

    def _next_ready(self) -> Connection | None:
        """Wait for a connection that has something to do, and own it; ``None`` at the end."""
        while not self.has_stopped:
            with suppress(IndexError):
                return self._ready.popleft()
            for number, events in self.epoll.poll():
                connection = self.connections.get(number)
                if connection is not None:
                    if events & HANG_UP:
                        connection.is_half_closed = True
                    connection.has_news = True
                    if connection.owner.acquire(blocking=False):
                        self._ready.append(connection)
                elif number in self.listeners:
                    self.accept(number)
        return None

    def _serve(self, connection: Connection, buffer: memoryview) -> Connection | None:
        """Serve a connection as far as possible without waiting.

        Returns:
            A connection that this thread owns and must serve next, if any.
        """
        if connection.has_news:
            connection.has_news = connection.is_drained = False
        lane = self._read_and_send(connection, buffer)
        if lane is not None:
            lane.waiting.append(connection)
        else:
            connection.owner.release()
            if connection.has_news and connection.owner.acquire(blocking=False):
                return connection
        for lane in self._lanes.all:
            if (ready := lane.enter()) is not None:
                if lane.is_slow:
                    turns.pass_on()
                try:
                    self._run(ready)
                finally:
                    lane.leave()
                return ready
        return None

    def _read_and_send(self, connection: Connection, buffer: memoryview) -> Lane | None:
        """Read and send as far as possible.

        Returns:
            The lane in which the application has something to do, or ``None`` if the connection has
            to wait for its client or is closed.
        """
        reader = connection.reader
        try:
            while True:
                if connection.unsent and not self._flush(connection):
                    return None
                if connection.response is not None:
                    return self._lane(connection, connection.response.environ)
                if connection.is_closing:
                    self._linger(connection, buffer)
                    return None
                if reader.requests:
                    return self._lane(connection, reader.requests[0].environ)
                if connection.refused:
                    self._refuse(connection)
                elif not self._read(connection, buffer):
                    return None
        except OSError:  # the client has disconnected
            self._close(connection)
        except Exception:
            self.log.exception("A connection has failed")
            self._close(connection)
        return None

    def _lane(self, connection: Connection, environ: dict[str, Any]) -> Lane:
        """Return the lane of a request. Until it has run, the client has no deadline."""
        connection.waits_for, connection.deadline = "", NEVER
        return self._lanes.of(environ["PATH_INFO"])

    def _flush(self, connection: Connection) -> bool:
        """Send what is unsent; return whether nothing is left."""
        if connection.flush():
            connection.waits_for = ""  # the client has made progress: restart its deadline
        if not connection.unsent:
            return True
        if not connection.is_watched_for_writing:
            connection.is_watched_for_writing = True
            self.epoll.modify(connection.number, READABLE | select.EPOLLOUT)
        self._wait_for(connection, "send")
        return False

    def _read(self, connection: Connection, buffer: memoryview) -> bool:
        """Read once; return whether there is something to do."""
        reader = connection.reader
        if reader.expects_continue:
            reader.expects_continue = False
            connection.send(CONTINUE)
            return True
        if connection.is_drained and not connection.is_late:
            self._wait_for(connection, reader.state)
            return False
        try:
            if connection.is_late:
                raise RefusedError(408)
            size = connection.sock.recv_into(buffer)
            # After a short read, an event announces further bytes (epoll(7), question 9); except
            # after urgent data, which HTTP does not have.
            connection.is_drained = 0 < size < len(buffer) and not connection.is_half_closed
            if size:
                reader.feed(buffer[:size])
            else:
                reader.end()
                connection.is_closing = not reader.requests
        except BlockingIOError:
            connection.is_drained = True
        except RefusedError as refused:
            connection.refused = refused  # after the responses to the requests before it
        return True

    def _refuse(self, connection: Connection) -> None:
        """Respond to bytes that are not a request; just close a connection that is only idle."""
        refused, connection.refused = connection.refused, None
        connection.is_closing = True
        if refused and (connection.reader.is_reading or not connection.is_late):
            address = connection.reader.address
            self.log.warning("Refused a request from %s: %s", address, refused)
            connection.send(refusal(refused.status))

    def _wait_for(self, connection: Connection, what: str) -> None:
        """Set the deadline for what the client must do next."""
        if connection.waits_for != what:
            if what == "send":
                connection.has_progress()
            connection.waits_for = what
            connection.deadline = time.monotonic() + self._seconds[what]

    def _run(self, connection: Connection) -> None:
        """Run the application for the next request, or for the next part of a response; send it."""
        is_first = connection.response is None
        try:
            head, body = self._first_part(connection) if is_first else self._next_part(connection)
        except BaseException:  # SystemExit too: it would end the thread
            with _request_id_of(connection.response):
                self.log.exception("The application has failed")
            if not is_first:  # the client sees that the response is incomplete
                self._close(connection)
                return
            self._end_response(connection)
            connection.is_closing = True
            head, body = refusal(500), b""
        try:
            connection.send(head, body)
        except Exception:  # noqa: BLE001 - mostly, the client has disconnected
            self._close(connection)

    def _first_part(self, connection: Connection) -> tuple[bytes, bytes]:
        environ, keeps_alive = connection.reader.requests.pop(0)
        connection.response = response = Response(environ)
        response.start(self.wsgi)
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
        may_keep_alive = keeps_alive and not self.is_stopping
        head, body = response.first_part(may_keep_alive=may_keep_alive)
        self._note_end(connection, response)
        return head, body

    def _next_part(self, connection: Connection) -> tuple[bytes, bytes]:
        response: Any = connection.response
        part = response.next_part()
        self._note_end(connection, response)
        return part, b""

    def _note_end(self, connection: Connection, response: Response) -> None:
        if response.is_complete:
            connection.is_closing = not response.keeps_alive
            self._end_response(connection)

    def _linger(self, connection: Connection, buffer: memoryview) -> None:
        """Wait until the client has closed its side, so that it receives the last response."""
        if connection.waits_for != "close":
            connection.sock.shutdown(socket.SHUT_WR)
            self._wait_for(connection, "close")
        while connection.unread_bytes < LINGER_BYTES and not connection.is_late:
            try:
                size = connection.sock.recv_into(buffer)
            except BlockingIOError:
                return
            if not size:
                break
            connection.unread_bytes += size
        else:
            if not connection.is_late and not connection.is_half_closed:
                return
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """Close a connection, and end its response."""
        if self.connections.get(connection.number) is not connection:
            return  # it is closed, and another one may have its number
        del self.connections[connection.number]
        connection.sock.close()
        connection.reader.close()
        connection.deadline = NEVER
        self._end_response(connection)

    def _end_response(self, connection: Connection) -> None:
        """Tell the application that its response has ended, if there is one."""
        response, connection.response = connection.response, None
        if response is not None:
            try:
                response.close()
            except Exception:
                with _request_id_of(response):
                    self.log.exception("The application has failed")


@contextmanager
def _request_id_of(response: Response | None) -> Iterator[None]:
    """Add the id of a request to log entries."""
    environ = response.environ if response is not None else {}
    token = current_request_id.set(environ.get("todo_project.request_id"))
    try:
        yield
    finally:
        current_request_id.reset(token)


def _allowed_files() -> int:
    """Raise the limit of open files as far as allowed, and return it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _use_one_arena() -> None:
    """Let all threads share glibc's free memory; otherwise each keeps that of a large list."""
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _environ(listener: Any) -> dict[str, Any]:
    """Return the part of the environ that all requests of a listening socket share."""
    name = listener.getsockname()
    host, port = name[:2] if isinstance(name, tuple) else ("localhost", 80)
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SCRIPT_NAME": "",
        "REMOTE_ADDR": "",
    }
