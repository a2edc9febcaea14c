"""What is said about an error of the database (docs/commands.md)."""

import pytest
from django.db import DatabaseError, InternalError, OperationalError, ProgrammingError
from django.db.migrations.exceptions import MigrationSchemaMissing
from psycopg import errors

from todo_project.explanations import explain
from todo_project.logs import redaction
from todo_project.logs.redaction import hide

AT = 'connection to server at "127.0.0.1", port 5432 failed: '
CREATE = "Create it: CREATE DATABASE todo ENCODING 'UTF8' TEMPLATE template0."
RUNS = "Check the host and the port, and whether the server runs."
READ = "It can only be read: use one that can be written."
CHANNEL = (
    "Remove channel_binding=require from the URL, or let the server use TLS and scram-sha-256."
)
EXPECTED = {
    f'{AT}FATAL:  password authentication failed for user "todo"': "Check the user and password.",
    f'{AT}FATAL:  role "todo" does not exist': "Check the user and password.",
    f'{AT}FATAL:  database "todo" does not exist': CREATE,
    "failed to resolve host 'db': Name or service not known": "Check the host.",
    f"{AT}Connection refused\n\tIs the server running?": RUNS,
    "connection timeout expired": RUNS,
    f"{AT}No such file or directory": RUNS,
    f"{AT}FATAL:  invalid command-line argument for server process: x": (
        "Write options in the URL as -c name=value, percent-encoded:"
        " options=-c%20search_path%3Dtodo."
    ),
    f"{AT}channel binding is required, but server did not offer it": CHANNEL,
    f"{AT}channel binding required, but server authenticated without it": CHANNEL,
    f"{AT}server does not support SSL, but SSL was required": (
        "Turn TLS on at the server, or, within a network that is trusted, set sslmode=disable in"
        " the URL."
    ),
    "no such table: task": "Run manage.py migrate.",
    "attempt to write a readonly database": READ,
    "file is not a database": "Check the path in the URL.",
}


def error_with(code: str, message: str, kind: type[DatabaseError]) -> DatabaseError:
    """Return Django's error for an error of the server with this SQLSTATE."""
    error = kind(message)
    error.__cause__ = errors.lookup(code)(message)
    return error


def test_an_error_of_connecting_is_one_line_with_advice() -> None:
    """The first line of the message must be kept, and followed by what to do."""
    found = {message: explain(OperationalError(message)) for message in EXPECTED}

    assert [
        message
        for message, advice in EXPECTED.items()
        if found[message]
        != f"The database cannot be used: {message.partition(chr(10))[0]}. {advice}"
    ] == []


def test_the_sqlstate_of_a_statement_selects_the_advice() -> None:
    """The server's messages may be in another language."""
    refused = error_with("42501", "keine Berechtigung", ProgrammingError)
    standby = error_with("25006", "nur lesend", InternalError)
    missing = error_with("42P01", "gibt es nicht", ProgrammingError)

    assert "GRANT USAGE, CREATE ON SCHEMA public" in explain(refused)
    assert "one that can be written" in explain(standby)
    assert explain(missing).endswith("gibt es nicht. Run manage.py migrate.")
    assert explain(DatabaseError("what.")) == "The database cannot be used: what."


def test_the_first_error_is_explained() -> None:
    """Django's migrations raise another error, which quotes the SQL."""
    try:
        try:
            raise error_with("42501", "permission denied\nLINE 1: …", ProgrammingError)
        except DatabaseError as first:
            message = f"Unable to create the django_migrations table ({first})"
            raise MigrationSchemaMissing(message)  # noqa: B904 - as Django does
    except DatabaseError as error:
        text = explain(error)

    assert text.startswith("The database cannot be used: permission denied. Let the user")


def test_a_secret_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No password may be shown, wherever the server quotes it (FR-017)."""
    monkeypatch.setattr(redaction, "_hidden", [])
    hide("Zx81pQ7wLk4m")

    assert "Zx81" not in explain(OperationalError("no Zx81pQ7wLk4m here"))
