"""An SQLite back end with deadlines, which notices when its file is replaced."""

import atexit
import math
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from todo_project.deadlines import remaining_seconds
from todo_project.server import turns

# Milliseconds; the time that a statement waits for the lock is rounded up to this.
STEP = 500
# Between two looks at the deadline, SQLite runs so many instructions of a statement: 1 to 2 ms.
INSTRUCTIONS = 100_000
PAUSE_SECONDS = 0.01  # between two attempts; switching a file to the log takes about as long
PRIMARY_CODE = 0xFF  # of an extended error code
IS_REPLACED = "the database file has been replaced or removed; stop the service, then start it"
# Has the device, the inode and the path of the file that the server uses. It is an environment
# variable, because gunicorn's upgrade (SIGUSR2) starts a new Python, which inherits nothing else.
VARIABLE = "TODO_SQLITE_FILE"
# Those of all threads, which Django does not close when the process ends
_wrappers: "WeakSet[DatabaseWrapper]" = WeakSet()


def remember_file(name: Any) -> None:
    """Let this process and its children use no other file at a path, if there is one now."""
    if (identity := _identity(name)) is not None:
        os.environ.setdefault(VARIABLE, f"{identity} {name}")


class DatabaseWrapper(base.DatabaseWrapper):
    """Waits for the write lock only until the deadline, and uses no file but the first.

    Tasks that are written to a file that has been replaced or removed would be lost. Opening its
    successor would be no remedy: SQLite would apply the old file's log to it.

    Source: docs/decisions/0021-sqlite-file.md.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._guard)
        _wrappers.add(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the file, unless it is another one than the server has used."""
        name = self.settings_dict["NAME"]
        remembered, _, path = os.environ.get(VARIABLE, "").partition(" ")
        if path == str(name) and remembered != _identity(name):
            raise OperationalError(IS_REPLACED)
        connection = super().get_new_connection(conn_params)
        try:
            _use_log(connection, conn_params["timeout"])
        except sqlite3.Error:
            connection.close()
            raise
        connection.set_progress_handler(_is_late, INSTRUCTIONS)
        remember_file(name)
        self._busy_timeout = int(1000 * conn_params["timeout"])  # milliseconds
        self._file = name, _identity(name)
        return connection

    def check_file(self) -> None:
        """Check that the file is still the one that was opened.

        Raises:
            OperationalError: it has been replaced or removed. All that was written to it is in it.
        """
        name, identity = self._file
        if identity != _identity(name):
            # SQLite would apply the log to the file that has replaced this one.
            with suppress(sqlite3.Error):
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raise OperationalError(IS_REPLACED)

    def check_deadline(self) -> None:
        """Raise ``OperationalError`` after the deadline of the request."""
        if remaining_seconds() == 0.0:
            raise OperationalError("no time is left for the database")

    @property
    def is_writable(self) -> bool:
        """Whether the file can be written, as far as its permissions say."""
        name = self.settings_dict["NAME"]
        return _identity(name) is None or os.access(name, os.W_OK)

    def _guard(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """Run a statement, which waits for the write lock until the deadline."""
        self.check_file()
        is_read = sql.lstrip().startswith("SELECT")
        if not is_read:
            turns.pass_on()  # it may wait for the lock
        seconds = remaining_seconds()
        if seconds is not None:
            self.check_deadline()
            timeout = math.ceil(1000 * seconds / STEP) * STEP
            if timeout != self._busy_timeout:
                self.connection.execute(f"PRAGMA busy_timeout = {timeout}")
                self._busy_timeout = timeout
        result = execute(sql, params, many, context)
        if not is_read:
            self.check_file()  # it may have waited for the lock
        return result

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # no stub
        self.check_file()


def _use_log(connection: Any, seconds: float) -> None:
    """Let readers and the writer not block each other (WAL); a file remembers this.

    SQLite does not wait for the lock if several connections to a new file do this at once.

    Args:
        connection: the new connection.
        seconds: the longest wait; a deadline may end it before.
    """
    left = remaining_seconds()
    ends_at = time.monotonic() + (seconds if left is None else min(seconds, left))
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            is_locked = error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not is_locked or time.monotonic() >= ends_at:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _identity(name: Any) -> str | None:
    """Return the device and inode of a file; ``None`` for a database in memory."""
    try:
        found = os.stat(name)  # noqa: PTH116 - Path.stat() takes twice as long
    except OSError:
        return None
    return f"{found.st_dev}:{found.st_ino}" if stat.S_ISREG(found.st_mode) else None


def _is_late() -> bool:
    """Return whether SQLite must end a statement: after the deadline of the request."""
    return remaining_seconds() == 0.0


@atexit.register
def close_connections() -> None:
    """Close the connections of all threads, at the end of the process.

    With the last connection, SQLite moves its log into the file.
    """
    for wrapper in list(_wrappers):
        if wrapper.connection is not None:
            with suppress(OperationalError):
                wrapper.check_file()  # moves the log into a file that has been renamed
            wrapper.connection.close()
