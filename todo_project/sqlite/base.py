"""An SQLite back end with deadlines, which notices when its file is replaced."""

import atexit
import math
import os
import stat
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from todo_project.deadlines import remaining_seconds
from todo_project.server import turns

# Milliseconds; the time that a statement waits for the lock is rounded up to this.
STEP = 500
# The device and inode of each database file, since the process opened it first
_files: dict[str, tuple[int, int]] = {}
# Those of all threads, which Django does not close when the process ends
_wrappers: "WeakSet[DatabaseWrapper]" = WeakSet()


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
        """Open the file, unless it is another one than before."""
        self.check_file()
        connection = super().get_new_connection(conn_params)
        self._busy_timeout = int(1000 * conn_params["timeout"])  # milliseconds
        if (identity := self._identity()) is not None:
            _files.setdefault(str(self.settings_dict["NAME"]), identity)
        return connection

    def check_file(self) -> None:
        """Check that the file is the one that this process has opened first.

        Raises:
            OperationalError: it has been replaced or removed.
        """
        expected = _files.get(str(self.settings_dict["NAME"]))
        if expected is not None and self._identity() != expected:
            raise OperationalError(
                "the database file has been replaced or removed; stop the service, then start it"
            )

    def check_deadline(self) -> None:
        """Raise ``OperationalError`` after the deadline of the request."""
        if remaining_seconds() == 0.0:
            raise OperationalError("no time is left for the database")

    @property
    def is_writable(self) -> bool:
        """Whether the file can be written, as far as its permissions say."""
        return self._identity() is None or os.access(self.settings_dict["NAME"], os.W_OK)

    def _identity(self) -> tuple[int, int] | None:
        """Return the device and inode of the file; ``None`` for a database in memory."""
        try:
            found = os.stat(self.settings_dict["NAME"])  # noqa: PTH116 - Path.stat() takes twice as long
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None

    def _guard(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """Run a statement, which waits for the write lock until the deadline."""
        self.check_file()
        if not sql.lstrip().startswith("SELECT"):
            turns.pass_on()  # it may wait for the lock
        seconds = remaining_seconds()
        if seconds is not None:
            self.check_deadline()
            timeout = math.ceil(1000 * seconds / STEP) * STEP
            if timeout != self._busy_timeout:
                self.connection.execute(f"PRAGMA busy_timeout = {timeout}")
                self._busy_timeout = timeout
        return execute(sql, params, many, context)


@atexit.register
def close_connections() -> None:
    """Close the connections of all threads, at the end of the process.

    With the last connection, SQLite moves its log into the file. It would apply a log that is left
    to the file that replaces this one.
    """
    for wrapper in list(_wrappers):
        if wrapper.connection is not None:
            wrapper.connection.close()
