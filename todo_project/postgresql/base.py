"""Django's PostgreSQL back end with a deadline, shared connections and no session state."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import InterfaceError, OperationalError
from psycopg.pq import TransactionStatus

from todo_project.deadlines import remaining_seconds
from todo_project.postgresql.connection import DeadlineConnection, UTCLoader
from todo_project.postgresql.pool import Pool

# By what is connected to: a test, or a command, may have more than one database.
_pools: dict[tuple[Any, ...], Pool] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """What a service behind a pooler needs: one connection for the length of a request.

    Source: docs/contract.md, "Errors" (503); the documentation of PgBouncer's transaction mode.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._retry_read)
        self._shared: Pool | None = None  # where this thread has a place

    def connect(self) -> None:
        """Use a connection that another request has left, or open one."""
        shared = self._pool_of_all_threads()
        shared.take_place()
        self._shared = shared
        connection = shared.take_idle()
        if connection is None:
            self._open()
            return
        self.connection = connection
        # What super() resets, without the rest of what it does
        self.autocommit = True
        self.in_atomic_block = self.closed_in_transaction = self.needs_rollback = False
        self.errors_occurred = False
        self.savepoint_ids, self.atomic_blocks, self.run_on_commit = [], [], []

    def get_new_connection(self, conn_params: dict[str, Any]) -> DeadlineConnection:
        """Connect, waiting at most ``connect_timeout`` seconds for each address of the host."""
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = DeadlineConnection.connect(**conn_params)
        connection.adapters.register_loader("timestamptz", UTCLoader)
        connection.keep_cursor()
        connection.expires_at = time.monotonic() + self.settings_dict["CONN_MAX_AGE"]
        return connection

    def close_if_unusable_or_obsolete(self) -> None:
        """Leave the connection to others, as Django does this when a request is over."""
        connection, shared = self.connection, self._shared
        if connection is None or shared is None:
            return
        if connection.pgconn.transaction_status != TransactionStatus.IDLE or not self.autocommit:
            self.close()
            return
        self.connection = self._shared = None
        shared.keep(connection)
        shared.give_place_back()

    def close_if_health_check_failed(self) -> None:
        """Look at the connection before each statement that may still go to another one."""
        if self.connection is not None and self.autocommit and not self.is_usable():
            self.close()

    def close_pool(self) -> None:
        """Close what nobody uses, as Django does before it drops a test's database."""
        shared = self._pool_of_all_threads()
        while connection := shared.take_idle():
            connection.close()

    def is_usable(self) -> bool:
        """Tell whether the connection still stands, without asking the server."""
        return self.connection is not None and self.connection.stands()

    @property
    def has_shortcut(self) -> bool:
        """Tell whether ``fetch_all`` may be used: outside of transactions, and no log is kept."""
        return not (self.in_atomic_block or self.queries_logged)

    def fetch_all(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, straight through psycopg, within all wrappers.

        Saves 50 of 150 µs: Django makes two cursors for each statement, and calls through six
        layers.
        """
        if self.connection is not None:
            self.close_if_health_check_failed()
        self.ensure_connection()
        execute: Callable[..., Any] = self._fetch_all
        for wrapper in reversed(self.execute_wrappers):
            execute = partial(wrapper, execute)
        return execute(sql, parameters, False, {"connection": self, "cursor": None})  # type: ignore[no-any-return]

    def _fetch_all(self, sql: str, parameters: Sequence[Any], *context: Any) -> Any:
        with self.wrap_database_errors:
            return self.connection.fetch_all(sql, parameters)

    def _pool_of_all_threads(self) -> Pool:
        settings = self.settings_dict
        key = tuple(settings[name] for name in ("HOST", "PORT", "USER", "NAME"))
        key += (settings["OPTIONS"].get("host"),)
        return _pools.get(key) or _pools.setdefault(key, Pool())  # one, whoever comes first

    def _open(self) -> None:
        self.autocommit = False  # not yet: nothing is to be replaced while it is made
        try:
            super().connect()
        except BaseException:
            self.close()
            self._leave()
            raise

    def _close(self) -> None:
        self.connection.close()
        self._leave()

    def _leave(self) -> None:
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.give_place_back()

    def _retry_read(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """Send a read whose connection has died once more, on a fresh connection.

        What may have written something is not repeated: nobody knows whether it did.
        """
        try:
            return execute(sql, params, many, context)
        except (OperationalError, InterfaceError):
            if not (self._is_lost() and _only_reads(sql)) or remaining_seconds() == 0.0:
                raise
        with self.wrap_database_errors:
            self._open()
        if context["cursor"]:
            context["cursor"].cursor = self.create_cursor()
        return execute(sql, params, many, context)

    def _is_lost(self) -> bool:
        """Tell whether the connection has died outside of a transaction."""
        return self.autocommit and self.connection is not None and self.connection.closed

    def _configure_timezone(self, connection: DeadlineConnection) -> bool:
        """Leave the session's time zone alone: behind a pooler the next client would inherit it.

        Times are sent with their offset and read into UTC whatever the session's zone is.
        """
        return False


def _only_reads(sql: Any) -> bool:
    return isinstance(sql, str) and sql.lstrip()[:6].upper() == "SELECT"
