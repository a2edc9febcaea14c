"""The SQLite back end: the deadline of a request, and a file that is replaced."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.utils import ConnectionHandler

from todo_project.configuration.database_url import database_settings
from todo_project.deadlines import database_deadline
from todo_project.sqlite import base

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a database that does not exist yet."""
    monkeypatch.setenv(base.VARIABLE, "")
    monkeypatch.delenv(base.VARIABLE)
    return tmp_path / "db.sqlite3"


@pytest.fixture
def database(file: Path) -> Iterator[Any]:
    """Open a database with an empty table."""
    handler = connections(file)
    with handler["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE task (title)")
    yield handler["default"]
    handler.close_all()


def connections(file: Path) -> ConnectionHandler:
    """Return the connections of a process, or of another thread of it."""
    url = f"sqlite:////{str(file).lstrip('/')}"
    return ConnectionHandler({"default": database_settings("DATABASE_URL", url, file.parent)})


def write(database: Any) -> None:
    """Add a row."""
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO task VALUES ('a')")


def titles(file: Path) -> list[Any]:
    """Return the rows, read by another program."""
    other = sqlite3.connect(file)
    try:
        return other.execute("SELECT title FROM task").fetchall()
    finally:
        other.close()


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_file_that_is_replaced_is_not_used(database: Any, file: Path, change: str) -> None:
    """No task may be written to a file that is not there any more, nor to its successor."""
    write(database)
    shutil.copy(file, file.with_suffix(".copy"))
    file.rename(file.with_suffix(".old"))
    if change == "replaced":
        file.with_suffix(".copy").rename(file)
    refused = []
    for each in (database, connections(file)["default"]):  # a thread that comes later, too
        with pytest.raises(
            OperationalError, match="replaced or removed; stop the service"
        ) as error:
            write(each)
        refused.append(error.value)

    assert len(refused) == 2
    assert file.exists() == (change == "replaced")
    file.with_suffix(".old").replace(file)
    write(database)
    assert titles(file) == [("a",)] * 2


def test_a_write_that_waited_while_the_file_was_replaced(database: Any, file: Path) -> None:
    """Its task is in the file that is gone: it must not be acknowledged."""

    def replace(execute: Any, *args: Any) -> Any:
        result = execute(*args)
        file.rename(file.with_suffix(".old"))
        return result

    with database.execute_wrapper(replace), pytest.raises(OperationalError, match="replaced"):
        write(database)
    file.with_suffix(".old").rename(file)
    write(database)


def test_all_that_was_written_is_in_a_file_that_is_replaced(database: Any, file: Path) -> None:
    """SQLite would apply the log of the old file to the new one."""
    write(database)
    old = file.with_suffix(".old")
    file.rename(old)
    with pytest.raises(OperationalError, match="replaced"):
        write(database)
    log = file.with_name(f"{file.name}-wal")

    assert log.stat().st_size == 0
    assert titles(old) == [("a",)]
    old.rename(file)


def test_a_long_statement_ends_at_the_deadline(database: Any) -> None:
    """SQLite computes in this process, and nothing else could end it."""
    count = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with (
        database.cursor() as cursor,
        database_deadline(0.2),
        pytest.raises(OperationalError, match="interrupted"),
    ):
        cursor.execute(count)


def test_a_waiting_writer_gives_up_at_the_deadline(database: Any, file: Path) -> None:
    """It must not wait for the 20 seconds that a command waits (docs/contract.md, "Errors")."""
    write(database)
    other = sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(OperationalError, match="locked"), database_deadline(0.1):
        write(database)
    with pytest.raises(OperationalError, match="no time is left"), database_deadline(0.0):
        write(database)
    waited = time.monotonic() - started
    other.rollback()
    other.close()

    assert 0.1 < waited < 6.0
    assert titles(file) == [("a",)]
    write(database)


def test_a_file_that_may_not_be_written_is_known(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readiness check must learn of it; a database in memory can be written."""
    in_memory: Any = connections(Path("/:memory:"))["default"]
    found = [database.is_writable, in_memory.is_writable]
    monkeypatch.setattr("os.access", lambda *args: False)

    assert [*found, database.is_writable, in_memory.is_writable] == [True, True, False, True]


def test_the_log_is_moved_into_the_file_at_the_end(
    database: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copies or replaces the file after a stop must find everything in it."""
    log = file.with_name(f"{file.name}-wal")
    write(database)
    before = log.exists()
    unused: Any = connections(file)["default"]
    monkeypatch.setattr(base, "_wrappers", [database, unused])

    base.close_connections()

    assert (before, log.exists(), unused.connection) == (True, False, None)
    assert titles(file) == [("a",)]


def test_a_new_file_has_a_log(database: Any) -> None:
    """Readers and the writer must not block each other (SC-007)."""
    with database.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


def locked(code: int = sqlite3.SQLITE_BUSY_RECOVERY) -> sqlite3.OperationalError:
    """Return the error of a file that another connection has locked."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    return error


def test_connections_that_switch_a_file_to_the_log_at_once_wait() -> None:
    """SQLite refuses some at once, and the first requests to a new file would fail."""
    connection = Mock()
    connection.execute.side_effect = [locked(), locked(), None]

    with database_deadline(60):
        base._use_log(connection, 60)  # noqa: SLF001 - only a race makes SQLite refuse it

    assert connection.execute.call_count == 3


@pytest.mark.parametrize(
    ("code", "seconds"), [(sqlite3.SQLITE_BUSY, 0), (sqlite3.SQLITE_CORRUPT, 60)]
)
def test_a_file_that_stays_locked_or_is_damaged_is_closed(
    file: Path, monkeypatch: pytest.MonkeyPatch, code: int, seconds: int
) -> None:
    """The error must be reported, after no longer than a writer waits."""
    connection = Mock()
    connection.execute.side_effect = locked(code)
    monkeypatch.setattr(DatabaseWrapper, "get_new_connection", lambda *_: connection)

    with pytest.raises(sqlite3.OperationalError):
        connections(file)["default"].get_new_connection({"timeout": seconds})
    connection.close.assert_called_once()
    assert connection.execute.call_count == 1
