"""Helpers for tests of the database connection and of deadlines."""

from typing import Any

import psycopg
import pytest
from django.db import close_old_connections, connection


def ask(statement: str) -> Any:
    """Execute a statement, and return the first value of its result."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def ask_in_request(statement: str) -> Any:
    """Return the result of a statement; release the connection, as at the end of a request."""
    try:
        return ask(statement)
    finally:
        close_old_connections()


def terminate(admin: psycopg.Connection[Any], pid: int) -> None:
    """Terminate a session on the server, and wait until it has ended."""
    assert admin.execute("SELECT pg_terminate_backend(%s, 60000)", [pid]).fetchone() == (True,)


class StoppedClock:
    """A clock for deadlines that only the test advances."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("todo_project.deadlines.time", self)

    def monotonic(self) -> float:
        """Return the current time of this clock."""
        return self.now
