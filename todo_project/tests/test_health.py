"""Liveness, readiness and the root (docs/contract.md, "Six endpoints and a health check")."""

import datetime as dt
import io
import json
from itertools import product
from pathlib import Path

import pytest
import time_machine
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from django.test.utils import CaptureQueriesContext

from conftest import ApiClient
from todo_project.configuration.database_url import database_settings
from todo_project.status import health
from todo_project.tests.live_server import free_port

NOON = dt.datetime(2026, 1, 6, 12, 0, tzinfo=dt.UTC)
PATHS = ["/health", "/health/ready", "/"]
METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
PASSWORD = "x7Qp2mVz9Lk4"
IS_POSTGRESQL = connection.vendor == "postgresql"
REFUSED = {"detail": "Method Not Allowed", "error": "Method Not Allowed"}
UNAVAILABLE = dict.fromkeys(("detail", "error"), "Service temporarily unavailable")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "statements"),
    # whether the table of migrations exists, and its content; on PostgreSQL, whether it is writable
    [("/health", "healthy", 0), ("/health/ready", "ready", 2 + IS_POSTGRESQL)],
)
def test_health_ignores_query_and_token(
    anonymous: ApiClient, path: str, status: str, statements: int
) -> None:
    """Neither a query string nor a bad token may matter; `/health` must not use the database."""
    bad_token = {"Authorization": "Bearer x"}
    found = {}
    for sent, headers in [(path, {}), (f"{path}/", {}), (f"{path}?x=1", {}), (path, bad_token)]:
        with CaptureQueriesContext(connection) as captured, time_machine.travel(NOON, tick=False):
            response = anonymous.send("GET", sent, **headers)
        found[sent, *headers] = response.status_code, response.json(), len(captured)

    body = {"status": status, "timestamp": "2026-01-06T12:00:00.000000Z"}
    assert found == dict.fromkeys(found, (200, body, statements))


@pytest.mark.django_db
def test_head_has_no_body_and_nothing_is_cached(anonymous: ApiClient) -> None:
    """HEAD must work wherever GET does, and no cache may store a response."""
    found, expected = {}, {}
    for path in PATHS:
        head, get = anonymous.head(path), anonymous.get(path)
        caching = {head["Cache-Control"], get["Cache-Control"]}
        found[path] = head.status_code, head.content, head["Content-Length"], caching
        expected[path] = 200, b"", str(len(get.content)), {"no-store"}

    assert found == expected


def test_other_methods_are_refused(anonymous: ApiClient) -> None:
    """Any method but GET and HEAD must get a 405 in JSON with ``Allow``."""
    found = {}
    for path, method in product(PATHS, METHODS):
        response = anonymous.generic(method, path)
        found[path, method] = response.status_code, response["Allow"], response.json()

    assert found == dict.fromkeys(found, (405, "GET, HEAD", REFUSED))


@pytest.mark.django_db
def test_a_missing_migration_is_a_503(anonymous: ApiClient, log: io.StringIO) -> None:
    """A process must not be ready before all migrations are applied."""
    MigrationRecorder(connection).record_unapplied("tasks", "0001_initial")

    response = anonymous.send("GET", "/health/ready")

    assert (response.status_code, response.json()) == (503, UNAVAILABLE)
    assert (response["Retry-After"], response["Cache-Control"]) == ("2", "no-store")
    assert log.getvalue().count("Not ready: unapplied migrations: 1; run migrate") == 1


@pytest.mark.django_db
def test_a_database_that_cannot_be_written_is_a_503(
    anonymous: ApiClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby must not get requests, nor a service whose file is read-only."""
    if IS_POSTGRESQL:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL transaction_read_only = on")
    else:
        monkeypatch.setattr(type(connections["default"]), "is_writable", False)

    response = anonymous.send("GET", "/health/ready")

    assert (response.status_code, response.json()) == (503, UNAVAILABLE)
    assert log.getvalue().count("Not ready: the database is read-only") == 1


@pytest.mark.django_db
def test_an_unknown_migration_is_ignored(anonymous: ApiClient) -> None:
    """The old release must stay ready during the rollout of the next one."""
    MigrationRecorder(connection).record_applied("tasks", "9999_of_the_next_release")

    assert anonymous.send("GET", "/health/ready").status_code == 200


@pytest.mark.django_db
def test_an_unreachable_database_is_a_503_without_internals(
    anonymous: ApiClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The response must not expose internals (FR-016), nor the log the password (FR-017)."""
    port = free_port()
    url = f"postgresql://todo:{PASSWORD}@127.0.0.1:{port}/todo"
    handler = ConnectionHandler({"default": database_settings("DATABASE_URL", url, tmp_path)})
    monkeypatch.setattr(health, "connection", handler["default"])

    response = anonymous.send("GET", "/health/ready")

    assert (response.status_code, response.json()) == (503, UNAVAILABLE)
    assert response["Retry-After"] == "2"
    error, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert (error["level"], request["status"]) == ("ERROR", 503)
    assert error["message"] == (
        "Not ready: the database does not answer (OperationalError: connection failed: connection"
        f' to server at "127.0.0.1", port {port} failed: Connection refused)'
    )
    assert PASSWORD not in log.getvalue()
