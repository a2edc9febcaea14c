"""Statements on the tests' own connection, its end, and the clock of its deadline."""

from typing import Any

import psycopg
import pytest
from django.db import close_old_connections, connection


def ask(statement: str) -> Any:
    """Run a statement, as a view does."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def request(statement: str) -> Any:
    """Run a statement, and give the connection back as Django does when a request is over."""
    try:
        return ask(statement)
    finally:
        close_old_connections()


def end(admin: psycopg.Connection[Any], pid: int) -> None:
    """Let the server close a connection, and wait until it has."""
    assert admin.execute("SELECT pg_terminate_backend(%s, 60000)", [pid]).fetchone() == (True,)


class StoppedClock:
    """The clock that deadlines are read from, which only a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("todo_project.deadlines.time", self)

    def monotonic(self) -> float:
        """Tell the time."""
        return self.now
