"""A psycopg connection with a deadline."""

import contextlib
import datetime as dt
import select
from collections.abc import Generator, Sequence
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen, PQGenConn
from psycopg.types.datetime import TimestamptzLoader

from todo_project.deadlines import remaining_seconds

CANCEL_SECONDS = 1.0
# The most rows that a connection keeps in memory after it has returned them
MAX_HELD_ROWS = 100
Result = TypeVar("Result")


class DeadlineError(psycopg.OperationalError):
    """The deadline of the request has passed."""


class UTCLoader(TimestamptzLoader):
    """Loads a ``timestamptz`` as UTC. Django's loader assumes that the session's zone is UTC."""

    timezone = dt.UTC

    def load(self, data: Any) -> dt.datetime:
        """Load a datetime and convert it from the session's time zone to UTC.

        Django's loader only replaces ``tzinfo``.
        """
        return super().load(data).astimezone(self.timezone)


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection that waits for the server only until the request's deadline.

    Source: docs/decisions/0007-database-deadline.md.
    """

    expires_at = float("inf")  # the time.monotonic() value after which it is not reused

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._poller = select.poll()  # select.select() fails above 1024 open files
        self._poller.register(self.fileno(), select.POLLIN)

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        """Connect within the deadline, however many addresses the host has.

        ``connect_timeout`` applies to each address, and is at least two seconds.
        """
        return _with_deadline(super()._connect_gen(conninfo))

    def wait(self, gen: PQGen[Result], *args: Any, **kwargs: Any) -> Result:
        """Wait for the server until the deadline.

        Raises:
            psycopg.OperationalError: the deadline has passed. The connection is closed: the next
                statement would otherwise read this one's late result.
        """
        seconds = remaining_seconds()
        if seconds is None:
            return super().wait(gen, *args, **kwargs)
        if seconds == 0.0:  # psycopg would send the statement before it times out
            self.close()
            raise DeadlineError("no time is left for the database")
        try:
            return super().wait(gen, *args, **{**kwargs, "timeout": seconds})
        except psycopg.OperationalError:
            if remaining_seconds() == 0.0:
                with contextlib.suppress(psycopg.Error):
                    self.cancel_safe(timeout=CANCEL_SECONDS)
                self.close()
            raise

    def fetch_all(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows. Reuses one cursor: creating one takes 18 µs."""
        rows = self.reused_cursor.execute(sql.encode(), parameters).fetchall()
        if len(rows) > MAX_HELD_ROWS:
            self.renew_cursor()
        return rows

    def renew_cursor(self) -> None:
        """Create a new cursor for ``fetch_all``, with the current loaders and no old result."""
        self.reused_cursor = psycopg.Cursor(self)

    def is_open(self) -> bool:
        """Return whether the connection can be used, without a round trip to the server.

        The socket of an idle connection is readable only after the server or a pooler has closed
        it. Polling takes 1 µs; Django's ``SELECT 1`` takes a round trip on each request.
        """
        return not self.closed and not self._poller.poll(0)


def _with_deadline(connecting: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:
    ready = None
    try:
        while True:
            waits_for = connecting.send(ready)
            if remaining_seconds() == 0.0:
                raise DeadlineError("no time is left to connect")
            ready = yield waits_for
    except StopIteration as done:
        connected: Result = done.value
        return connected
