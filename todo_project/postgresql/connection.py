"""A psycopg connection with a deadline."""

import contextlib
import datetime as dt
import hashlib
import itertools
import re
import select
from collections.abc import Callable, Generator, Sequence
from functools import cached_property, lru_cache
from typing import Any, Self, TypeVar

import psycopg
from psycopg import abc, errors
from psycopg.abc import PQGen, PQGenConn
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import execute
from psycopg.pq import ExecStatus
from psycopg.types.datetime import TimestampLoader, TimestamptzLoader

from todo_project.deadlines import remaining_seconds
from todo_project.server import turns

CANCEL_SECONDS = 1.0
INT8 = psycopg.adapters.types["int8"].oid
SMALLER_INTEGERS = {psycopg.adapters.types[name].oid for name in ("int2", "int4")}
SUCCESS = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})
# Python's range
FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
LAST = dt.datetime.max.replace(tzinfo=dt.UTC)
PLACEHOLDER = re.compile("%[s%]")
Result = TypeVar("Result")


class DeadlineError(psycopg.OperationalError):
    """The deadline of the request has passed."""


class UTCLoader(TimestamptzLoader):
    """Loads a ``timestamptz`` as UTC. Django's loader assumes that the session's zone is UTC."""

    timezone = dt.UTC

    def load(self, data: Any) -> dt.datetime:
        """Load a datetime and convert it from the session's time zone to UTC.

        Django's loader only replaces ``tzinfo``. A time outside of Python's range becomes the
        nearest one in it.
        """
        try:
            return super().load(data).astimezone(self.timezone)
        except (psycopg.DataError, OverflowError):
            return _nearest(data)


class ClampingLoader(TimestampLoader):
    """Loads a ``timestamp``; one outside of Python's range becomes the nearest one in it.

    Source: docs/adoption.md, "Times that cannot be shown".
    """

    def load(self, data: Any) -> dt.datetime:
        """Load a naive datetime."""
        try:
            return super().load(data)
        except psycopg.DataError:
            return _nearest(data).replace(tzinfo=None)


def _nearest(data: Any) -> dt.datetime:
    """Return the end of Python's range that is nearest to a time outside of it.

    Args:
        data: PostgreSQL's text: ``infinity``, ``-infinity``, a time that ends with ``BC``, one
            with a larger year, or one that is in the range only in the session's time zone.
    """
    text = bytes(data)
    is_early = text.startswith((b"-", b"0001-")) or text.endswith(b"BC")
    return FIRST if is_early else LAST


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection that waits for the server only until the request's deadline.

    Source: docs/decisions/0007-database-deadline.md.
    """

    opened_at = 0.0  # a time.monotonic() value
    is_silent = False  # whether the server has answered neither a statement nor its cancelling
    on_silence: Callable[[], None] = staticmethod(lambda: None)  # see addresses.connect()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._poller = select.poll()  # select.select() fails above 1024 open files
        self._poller.register(self.fileno(), select.POLLIN)
        self.prepared_names: set[bytes] = set()

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect; cursors of the connection load every ``timestamp``."""
        connection = super().connect(*args, **kwargs)
        connection.adapters.register_loader("timestamp", ClampingLoader)
        return connection

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
        return self._wait(gen, self._seconds_left(), *args, **kwargs)

    def fetch_all(
        self, sql: str, parameters: Sequence[Any], *, prepare: bool = False
    ) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; a statement outside a transaction autocommits.

        Saves 20 of a cursor's 53 µs. The values are sent as text, and the server infers their
        types: it would compare an ``int8`` column with a small ``int`` by a different operator.

        Args:
            sql: one statement, with ``%s`` for each parameter and ``%%`` for a percent sign.
            parameters: values of any type that psycopg adapts.
            prepare: whether the server may keep the parsed statement (``DATABASE_PREPARED``).

        Raises:
            psycopg.Error: the statement failed, or the deadline has passed.

        Source: docs/decisions/0020-prepared-statements.md.
        """
        query, name = _query_and_name(sql)
        formats = [PyFormat.TEXT] * len(parameters)
        values = self.transformer.dump_sequence(parameters, formats)
        # An id may be larger than an adopted table's column can hold.
        types = [INT8 if oid in SMALLER_INTEGERS else oid for oid in self.transformer.types or ()]
        if prepare and self.prepare_threshold is not None:
            try:
                return self._fetch_prepared(query, name, values, types)
            except (errors.FeatureNotSupported, errors.InvalidSqlStatementName):
                # The table has changed, or a pooler has changed the session. The server has rolled
                # the statement back. Until this connection is replaced, it prepares nothing.
                self.prepare_threshold = None
        seconds = self._seconds_left()
        self.pgconn.send_query_params(query, values, types)
        return self._rows(seconds)

    def _fetch_prepared(
        self, query: bytes, name: bytes, values: Sequence[abc.Buffer | None], types: Sequence[int]
    ) -> list[tuple[Any, ...]]:
        if name not in self.prepared_names:
            seconds = self._seconds_left()
            self.pgconn.send_prepare(name, query, types)
            # A pooler may assign a session in which another client has prepared this statement.
            with contextlib.suppress(errors.DuplicatePreparedStatement):
                self._rows(seconds)
            self.prepared_names.add(name)
        seconds = self._seconds_left()
        self.pgconn.send_query_prepared(name, values)
        return self._rows(seconds)

    def _rows(self, seconds: float | None) -> list[tuple[Any, ...]]:
        """Wait for the result of the statement that has been sent, and return its rows.

        The server sends the result before it commits. If it then fails to commit, an error follows.
        """
        result, *others = self._wait(execute(self.pgconn), seconds)
        for each in (result, *others):
            if each.status not in SUCCESS:
                raise errors.error_from_result(each)
        try:
            return _load(result, self.transformer)
        except psycopg.DataError:  # a time outside of Python's range
            return _load(result, Transformer(self))

    @cached_property
    def transformer(self) -> abc.Transformer:
        """Psycopg's conversion of values, with the loaders that Django has registered.

        For a ``timestamp`` it has psycopg's own loader: ``ClampingLoader`` is in Python, and takes
        five times as long.
        """
        cursor = self.cursor()
        cursor.adapters.register_loader("timestamp", TimestampLoader)
        return Transformer(cursor)

    def _seconds_left(self) -> float | None:
        """Return the time left, or ``None`` without a deadline.

        Raises:
            DeadlineError: no time is left. The connection is closed.
        """
        seconds = remaining_seconds()
        if seconds == 0.0:  # psycopg would send the statement before it times out
            self.close()
            raise DeadlineError("no time is left for the database")
        return seconds

    def _wait(self, gen: PQGen[Result], seconds: float | None, *args: Any, **kwargs: Any) -> Result:
        """Wait for the server; raise ``OperationalError`` if the connection is lost.

        psycopg raises ``InternalError`` if a pooler adds an error to the result of a ``BEGIN``.
        """
        turns.pass_on()
        if seconds is not None:
            kwargs["timeout"] = seconds
        try:
            return super().wait(gen, *args, **kwargs)
        except psycopg.OperationalError:
            if remaining_seconds() == 0.0:
                try:
                    self.cancel_safe(timeout=CANCEL_SECONDS)
                except psycopg.Error:
                    self.is_silent = True
                self.close()
            raise
        except psycopg.Error as error:
            if self.closed:
                raise psycopg.OperationalError(str(error)) from error
            raise

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


def _load(result: Any, transformer: abc.Transformer) -> list[tuple[Any, ...]]:
    """Convert the rows of a result."""
    transformer.set_pgresult(result)
    try:
        return transformer.load_rows(0, result.ntuples, tuple)
    finally:
        transformer.set_pgresult(None)  # an idle connection would keep the rows in memory


@lru_cache(maxsize=256)
def _query_and_name(sql: str) -> tuple[bytes, bytes]:
    """Return a statement with PostgreSQL's placeholders, ``$1`` and so on, and its name.

    Two clients of a pooler may share a session. As the name is a digest of the statement, neither
    can run another statement than its own.
    """
    numbers = itertools.count(1)
    query = PLACEHOLDER.sub(lambda found: f"${next(numbers)}" if found[0] == "%s" else "%", sql)
    digest = hashlib.blake2b(query.encode(), digest_size=16).hexdigest()
    return query.encode(), f"todo_{digest}".encode()
