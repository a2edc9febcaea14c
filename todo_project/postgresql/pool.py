"""The connections that the threads of a process share."""

import threading
import time
from contextlib import suppress

from todo_project.deadlines import remaining_seconds
from todo_project.postgresql.connection import DeadlineConnection, DeadlineError

# For each process. Python runs one thread at a time, so that more of them would only wait.
CONNECTIONS = 16


class Pool:
    """A number of places, and the open connections that nobody uses at the moment.

    Whoever has taken a place may have one connection, and gives the place back after it. Both
    steps take a microsecond or two; psycopg's own pool has threads of its own, which after an
    outage wait longer and longer before they connect again.
    """

    def __init__(self, size: int = CONNECTIONS) -> None:
        self._places = threading.Semaphore(size)
        self._idle: list[DeadlineConnection] = []

    def take_place(self) -> None:
        """Wait for a place, no longer than the request may.

        Raises:
            psycopg.OperationalError: none became free in time.
        """
        if not self._places.acquire(timeout=remaining_seconds()):
            raise DeadlineError("all connections are in use")

    def give_place_back(self) -> None:
        """Let somebody else have one."""
        self._places.release()

    def take_idle(self) -> DeadlineConnection | None:
        """Return the connection that was used last, if one still stands."""
        with suppress(IndexError):  # a look at the length would be out of date at once
            while True:
                connection = self._idle.pop()
                if time.monotonic() < connection.expires_at and connection.stands():
                    return connection
                connection.close()
        return None

    def keep(self, connection: DeadlineConnection) -> None:
        """Put a connection by for the next."""
        self._idle.append(connection)
