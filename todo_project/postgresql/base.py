"""A PostgreSQL back end with deadlines, a connection pool and no session state."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import InterfaceError, InternalError, OperationalError
from psycopg.pq import TransactionStatus

from todo_project.deadlines import remaining_seconds
from todo_project.outages import READ_ONLY, sqlstate
from todo_project.postgresql.addresses import connect
from todo_project.postgresql.connection import DeadlineConnection, UTCLoader
from todo_project.postgresql.connection_pool import Pool
from todo_project.server import turns

SERVER_AND_DATABASE = itemgetter("HOST", "PORT", "USER", "NAME")
# Keyed by connection parameters: a test or a command may use more than one database.
_pools: dict[tuple[Any, ...], Pool] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """Borrows a connection from the process's pool for the duration of a request.

    Source: docs/decisions/0009-connection-pool.md; PgBouncer's documentation, "pool_mode".
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._run)
        self._slot: Pool | None = None  # the pool in which this thread holds a slot

    def connect(self) -> None:
        """Wait for a slot of the pool; then take an idle connection or open a new one."""
        pool = self._process_pool()
        pool.acquire_slot()
        self._slot = pool
        connection = pool.pop_idle()
        if connection is None:
            self._open()
            return
        self.connection = connection
        # The state that super() resets; the rest of its work is only needed for a new connection.
        self.autocommit = True
        self.in_atomic_block = self.closed_in_transaction = self.needs_rollback = False
        self.errors_occurred = False
        self.savepoint_ids, self.atomic_blocks, self.run_on_commit = [], [], []

    def get_new_connection(self, conn_params: dict[str, Any]) -> DeadlineConnection:
        """Connect within the deadline and ``connect_timeout`` seconds per address of a host."""
        turns.pass_on()
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = connect(conn_params)
        connection.adapters.register_loader("timestamptz", UTCLoader)
        connection.opened_at = time.monotonic()
        return connection

    def close_if_unusable_or_obsolete(self) -> None:
        """Return an idle connection to the pool; close one that is in a transaction or broken.

        ``todo_project.wsgi.application`` calls this at the end of a request.
        """
        connection, pool = self.connection, self._slot
        if connection is None or pool is None:
            return
        if connection.pgconn.transaction_status != TransactionStatus.IDLE or not self.autocommit:
            self.close()
            return
        self.connection = self._slot = None
        pool.push_idle(connection)
        pool.release_slot()

    def close_if_health_check_failed(self) -> None:
        """Close an unusable connection unless in a transaction; called before each statement."""
        if self.connection is not None and self.autocommit and not self.is_usable():
            self.close()

    def close_pool(self) -> None:
        """Close idle connections; Django calls this before it drops a test database."""
        self._process_pool().close_connections()

    def is_usable(self) -> bool:
        """Return whether the connection is open, without a round trip to the server."""
        return self.connection is not None and self.connection.is_open()

    @property
    def is_writable(self) -> bool:
        """Whether the server accepts writes: not a standby, and not set to read-only.

        If it does not, its connections are replaced.
        """
        with self.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            is_writable = bool(cursor.fetchone() == ("off",))
        if not is_writable:
            self._process_pool().replace_connections()
        return is_writable

    def check_deadline(self) -> None:
        """Raise ``OperationalError`` after the deadline of the request."""
        if remaining_seconds() == 0.0:
            raise OperationalError("no time is left for the request")

    @property
    def can_skip_cursor(self) -> bool:
        """Whether ``fetch_all`` may be used: not in a transaction or while queries are logged."""
        autocommits = self.autocommit or self.connection is None
        return autocommits and not (self.in_atomic_block or self.queries_logged)

    def fetch_all(
        self, sql: str, parameters: Sequence[Any], *, prepare: bool = False
    ) -> list[tuple[Any, ...]]:
        """Run a statement through psycopg and the execute wrappers, and return its rows.

        Saves 70 of 150 µs: Django creates two cursors per statement and goes through six layers.

        Args:
            sql: one statement, with Django's placeholders.
            parameters: its values.
            prepare: whether the server may keep the parsed statement (``DATABASE_PREPARED``).
        """
        self.close_if_health_check_failed()
        if self.connection is None:
            self.ensure_connection()
        execute: Callable[..., Any] = self._fetch_all
        for wrapper in reversed(self.execute_wrappers):
            execute = partial(wrapper, execute)
        context = {"connection": self, "cursor": None, "prepare": prepare}
        return execute(sql, parameters, False, context)  # type: ignore[no-any-return]

    def _fetch_all(self, sql: str, parameters: Sequence[Any], many: bool, context: Any) -> Any:
        with self.wrap_database_errors:
            return self.connection.fetch_all(sql, parameters, prepare=context["prepare"])

    def _process_pool(self) -> Pool:
        options = self.settings_dict["OPTIONS"]
        key = *SERVER_AND_DATABASE(self.settings_dict), options.get("host"), options.get("port")
        if key not in _pools:
            _pools.setdefault(key, Pool(self.settings_dict["CONN_MAX_AGE"]))  # is atomic
        return _pools[key]

    def _open(self) -> None:
        self.autocommit = False  # disables health checks and retries while connecting
        try:
            super().connect()
        except BaseException:
            self.close()
            self._release_slot()
            raise

    def _close(self) -> None:
        self.connection.close()
        if self.connection.is_silent:
            self.connection.on_silence()
            self._process_pool().close_connections()
        self._release_slot()

    def _release_slot(self) -> None:
        pool, self._slot = self._slot, None
        if pool is not None:
            pool.release_slot()

    def _run(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """Run a statement; retry a read once if its connection is lost outside a transaction.

        If the server has become read-only, replace its connections: after a failover, the same
        host or another one of the URL leads to a server that can write.

        A read is not retried after the deadline. A write is never retried: the server may have
        committed it before the connection was lost.

        Source: docs/decisions/0008-reads-are-retried.md.
        """
        try:
            return execute(sql, params, many, context)
        except InternalError as error:
            if sqlstate(error) == READ_ONLY:
                self._process_pool().replace_connections()
            raise
        except (OperationalError, InterfaceError):
            if not (self._is_lost() and _is_read(sql)) or remaining_seconds() == 0.0:
                raise
        with self.wrap_database_errors:
            self._open()
        if context["cursor"]:
            context["cursor"].cursor = self.create_cursor()
        return execute(sql, params, many, context)

    def _is_lost(self) -> bool:
        return self.autocommit and self.connection is not None and self.connection.closed

    def _configure_timezone(self, connection: DeadlineConnection) -> bool:
        """Send no ``SET TIME ZONE``: behind a pooler it would leak to the next client.

        Datetimes are sent with their offset and loaded as UTC in any session time zone.
        """
        return False


def connections_in_use() -> int:
    """Return how many connections the threads of this process are using."""
    return sum(pool.in_use for pool in tuple(_pools.values()))


def _is_read(sql: Any) -> bool:
    return isinstance(sql, str) and sql.lstrip()[:6].upper() == "SELECT"
