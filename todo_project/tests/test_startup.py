"""The log lines at server startup."""

import io
import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from gunicorn.arbiter import Arbiter
from pytest_django.fixtures import Settings

from todo_project.configuration.database_url import database_settings
from todo_project.status import startup
from todo_project.status.startup import report_database, report_settings, require_sessions
from todo_project.tests.live_server import free_port

PASSWORD = "x7Qp2mVz9Lk4"


def only_line(log: io.StringIO) -> tuple[str, str]:
    """Return the level and the message of the only line in the log."""
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["logger"] == "todo_project.status.startup"
    return line["level"], line["message"]


@pytest.mark.django_db(transaction=True)
def test_a_ready_database_is_reported(log: io.StringIO) -> None:
    """One line must name the database and confirm that the migrations are applied."""
    report_database()

    level, line = only_line(log)
    assert level == "INFO"
    assert connection.display_name in line
    assert line.endswith(f"{connection.settings_dict['NAME']} answers; migrations are applied")


@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_reported(log: io.StringIO) -> None:
    """One line must name the command to run."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("tasks", "0002_idempotency_key")

    report_database()

    recorder.record_applied("tasks", "0002_idempotency_key")
    level, line = only_line(log)
    assert level == "WARNING"
    assert line.endswith("answers; unapplied migrations: 1; run migrate")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "sqlite:///empty.sqlite3",
            "SQLite {folder}/empty.sqlite3 answers; unapplied migrations: {missing}; run migrate",
        ),
        (
            "sqlite:///missing/tasks.sqlite3",
            "SQLite {folder}/missing/tasks.sqlite3 does not answer (OperationalError: unable to"
            " open database file)",
        ),
        (
            f"postgresql://todo:{PASSWORD}@127.0.0.1:{{port}}/tasks",
            "PostgreSQL 127.0.0.1/tasks does not answer (OperationalError: {refused})",
        ),
        (
            f"postgresql://todo:{PASSWORD}@:{{port}}/tasks?host=127.0.0.1",
            "PostgreSQL 127.0.0.1/tasks does not answer (OperationalError: {refused})",
        ),
        (
            f"postgresql://todo:{PASSWORD}@127.0.0.1:{{port}},localhost:{{port}}/tasks",
            "PostgreSQL 127.0.0.1,localhost/tasks does not answer (OperationalError: {first}"
            " {refused})",
        ),
    ],
    ids=["empty", "missing folder", "host in the authority", "host in the query", "several hosts"],
)
def test_a_database_that_is_not_ready_is_reported_without_its_password(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, expected: str
) -> None:
    """One line must describe the problem, without the password (FR-017)."""
    port = free_port()
    refused = (
        f'connection failed: connection to server at "127.0.0.1", port {port} failed: Connection'
        " refused"
    )
    settings = database_settings("DATABASE_URL", url.format(port=port), tmp_path)
    handler = ConnectionHandler({"default": settings})
    monkeypatch.setattr(startup, "connection", handler["default"])

    report_database()

    level, line = only_line(log)
    missing = len(MigrationLoader(None).graph.nodes)
    assert level == "WARNING"
    names = {"folder": tmp_path, "missing": missing, "refused": refused}
    assert line == f"Database {expected.format(first=f'127.0.0.1:{port}', **names)}"


def test_a_failed_check_is_reported(log: io.StringIO, settings: Settings) -> None:
    """The log must warn of a secret that a rotation has left behind (authn.W002)."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRET_IS_LEFT_OVER": True}

    report_settings()

    level, line = only_line(log)
    assert level == "WARNING"
    assert "BETTER_AUTH_SECRET is accepted beside BETTER_AUTH_SECRETS" in line
    assert "Remove BETTER_AUTH_SECRET" in line


@pytest.mark.django_db(transaction=True)
def test_a_missing_table_of_sessions_stops_the_server(log: io.StringIO, settings: Settings) -> None:
    """Gunicorn must not start: every session token would be a 503."""
    require_sessions()  # is off
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}

    with pytest.raises(SystemExit) as stopped:
        require_sessions()

    assert stopped.value.code == Arbiter.APP_LOAD_ERROR
    level, line = only_line(log)
    assert level == "ERROR"
    assert line.startswith("BETTER_AUTH_SESSIONS needs")


@pytest.mark.parametrize("outcome", [True, OperationalError("the server is down")])
def test_sessions_do_not_stop_the_server_otherwise(
    log: io.StringIO, settings: Settings, monkeypatch: pytest.MonkeyPatch, outcome: object
) -> None:
    """With the table, or while the database is away, the server must start."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}
    monkeypatch.setattr("authn.sessions.table_is_readable", Mock(side_effect=[outcome]))

    require_sessions()

    assert log.getvalue() == ""
