"""Lanes: each kind of request has threads of its own."""

from collections import deque

from todo_project.postgresql.connection_pool import (
    API_CONNECTIONS,
    CONNECTIONS,
    STAFF_CONNECTIONS,
)
from todo_project.server.connections import Connection

# One thread more than requests that can wait for the database: it reads, and answers /health.
THREADS = CONNECTIONS + 1
# These need no database; they must also be answered while it keeps all other requests waiting.
NEVER_WAITING = ("/health", "/health/", "/metrics", "/metrics/")


class Lane:
    """Lets a number of requests run at a time; the rest wait in order.

    It has no lock: the methods of ``list`` and ``deque`` are atomic. A thread that adds to
    ``waiting``, or leaves the lane, calls ``enter()`` afterwards, so no connection is forgotten.

    Args:
        size: how many requests run at a time.
        is_slow: whether other threads serve the clients meanwhile (``Turns``).
    """

    def __init__(self, size: int, *, is_slow: bool = False) -> None:
        self.is_slow = is_slow
        self.waiting: deque[Connection] = deque()
        self._places = [None] * size

    def enter(self) -> Connection | None:
        """Take a place for the first waiting connection; return ``None`` if that is impossible."""
        while self.waiting:
            try:
                self._places.pop()
            except IndexError:
                return None
            try:
                return self.waiting.popleft()
            except IndexError:  # another thread was faster
                self.leave()
        return None

    def leave(self) -> None:
        """Give the place back."""
        self._places.append(None)


class Lanes:
    """The lanes of a process.

    Args:
        root_path: the prefix of all paths, which a proxy may or may not have stripped.
    """

    def __init__(self, root_path: str) -> None:
        self._root_path = root_path
        self._probes, self._api, self._staff = all_ = (
            Lane(THREADS),
            Lane(API_CONNECTIONS),
            Lane(STAFF_CONNECTIONS, is_slow=True),
        )
        self.all = all_

    def count_waiting(self) -> int:
        """Return how many requests wait for a place."""
        return sum(len(lane.waiting) for lane in self.all)

    def of(self, path: str) -> Lane:
        """Return the lane of a request by its decoded path."""
        if self._root_path:
            path = path.removeprefix(self._root_path)
        if path.startswith("/admin/"):
            return self._staff
        return self._probes if path in NEVER_WAITING else self._api
