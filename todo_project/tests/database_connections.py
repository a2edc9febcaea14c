"""Statements on the tests' own connection, and the end of such a connection."""

from typing import Any

import psycopg
from django.db import close_old_connections, connection


def ask(statement: str) -> Any:
    """Run a statement, as a view does."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def request(statement: str) -> Any:
    """Run a statement, and let the connection go as Django does when a request is over."""
    try:
        return ask(statement)
    finally:
        close_old_connections()


def end(admin: psycopg.Connection[Any], pid: int) -> None:
    """Let the server close a connection, and wait until it has."""
    assert admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
