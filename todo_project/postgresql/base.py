"""Django's PostgreSQL back end with a deadline, a free health check and no session state."""

import contextlib
import datetime as dt
import select
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg import IsolationLevel
from psycopg.abc import PQGen
from psycopg.types.datetime import TimestamptzLoader

from todo_project.deadlines import remaining_seconds

CANCEL_SECONDS = 1.0
Answer = TypeVar("Answer")


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection that gives up when the time of the request is over."""

    def wait(self, gen: PQGen[Answer], *args: Any, **kwargs: Any) -> Answer:
        """Wait for the server, no longer than the request may.

        Raises:
            psycopg.OperationalError: the server did not answer in time. The connection is closed
                then: an answer that came later would be taken for that of the next statement.
        """
        seconds = remaining_seconds()
        if seconds is None:
            return super().wait(gen, *args, **kwargs)
        try:
            return super().wait(gen, *args, **{**kwargs, "timeout": seconds})
        except psycopg.OperationalError:
            if remaining_seconds() == 0.0:
                with contextlib.suppress(psycopg.Error):
                    self.cancel_safe(timeout=CANCEL_SECONDS)
                self.close()
            raise


class UTCLoader(TimestamptzLoader):
    """Reads a time into UTC. Django's own takes the session's zone for UTC."""

    timezone = dt.UTC

    def load(self, data: Any) -> dt.datetime:
        """Convert, and not relabel, what the server writes in its session's zone."""
        return super().load(data).astimezone(self.timezone)


class DatabaseWrapper(base.DatabaseWrapper):
    """What a service behind a pooler needs.

    Source: contract.md "Errors" (503); the documentation of PgBouncer's transaction mode.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> DeadlineConnection:
        """Connect, waiting at most ``connect_timeout`` seconds for each address of the host."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        connection = DeadlineConnection.connect(**conn_params)
        connection.adapters.register_loader("timestamptz", UTCLoader)
        return connection

    def is_usable(self) -> bool:
        """Tell whether a reused connection still stands, without asking the server.

        Nothing is sent to a connection that waits for its next statement, except that the server
        or a pooler has closed it. Looking at the socket takes microseconds; Django's ``SELECT 1``
        is a round trip on each request.
        """
        if self.connection is None or self.connection.closed:
            return False
        readable, _, _ = select.select([self.connection.fileno()], [], [], 0)
        return not readable

    def _configure_timezone(self, connection: DeadlineConnection) -> bool:
        """Leave the session's time zone alone: behind a pooler the next client would inherit it.

        Times are sent with their offset and read into UTC whatever the session's zone is.
        """
        return False
