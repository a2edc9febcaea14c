"""The connection pool that the threads of a process share."""

import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from todo_project.deadlines import remaining_seconds
from todo_project.postgresql.connection import DeadlineConnection, DeadlineError

# Per process, and so many requests run at a time (todo_project/server/lanes.py). More would not
# help: Python runs one thread at a time.
API_CONNECTIONS = 16
STAFF_CONNECTIONS = 2  # for the admin's pages, exports and bulk actions
CONNECTIONS = API_CONNECTIONS + STAFF_CONNECTIONS
RECENT_SECONDS = 1.0


class Pool:
    """Slots for open connections, and the connections that are idle.

    A thread acquires a slot before it uses a connection and releases the slot afterwards. psycopg's
    own pool needs background threads, and after an outage it backs off longer and longer before it
    reconnects.

    Args:
        max_age: seconds until a connection is replaced.
        size: the number of slots.

    Source: docs/decisions/0009-connection-pool.md.
    """

    def __init__(self, max_age: float, size: int = CONNECTIONS) -> None:
        self._max_age = max_age
        self._closed_until = 0.0  # connections that were opened before are not reused
        self._size = size
        self._slots: SimpleQueue[None] = SimpleQueue()  # 0.2 µs; a Semaphore takes 1.7
        for _ in range(size):
            self.release_slot()
        self._idle: list[DeadlineConnection] = []

    @property
    def in_use(self) -> int:
        """The number of slots that are taken."""
        return self._size - self._slots.qsize()

    def acquire_slot(self) -> None:
        """Wait for a slot until the deadline of the request.

        Raises:
            psycopg.OperationalError: no slot was released in time.
        """
        try:
            self._slots.get(timeout=remaining_seconds())
        except Empty:
            raise DeadlineError("all connections are in use") from None

    def release_slot(self) -> None:
        """Let another thread acquire the slot."""
        self._slots.put(None)

    def pop_idle(self) -> DeadlineConnection | None:
        """Return the most recently used connection that is usable, if any; close unusable ones."""
        with suppress(IndexError):  # another thread may empty the list before pop()
            while True:
                connection = self._idle.pop()
                oldest = max(time.monotonic() - self._max_age, self._closed_until)
                if connection.opened_at >= oldest and connection.is_open():
                    return connection
                connection.close()
        return None

    def push_idle(self, connection: DeadlineConnection) -> None:
        """Keep a connection for the next thread, unless it is to be closed."""
        if connection.opened_at >= self._closed_until:
            self._idle.append(connection)
        else:
            connection.close()

    def replace_connections(self) -> None:
        """Close the connections, unless that has happened within the last second.

        While there is no better server, each failing request would replace them in vain.
        """
        if time.monotonic() > self._closed_until + RECENT_SECONDS:
            self.close_connections()

    def close_connections(self) -> None:
        """Close the idle connections at once, and those in use when they are returned."""
        self._closed_until = time.monotonic()
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
