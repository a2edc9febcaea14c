"""``GET /health/ready`` (issue "Nothing lost, nothing twice", readiness)."""

import datetime as dt
import io
import json
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from pytest_django import DjangoAssertNumQueries

from conftest import ApiClient
from todo_project import health
from todo_project.database_url import database_settings
from todo_project.tests.live_server import free_port

NOON = dt.datetime(2026, 1, 6, 12, 0, tzinfo=dt.UTC)
PASSWORD = "x7Qp2mVz9Lk4"
UNAVAILABLE = {
    "detail": "Service temporarily unavailable",
    "error": "Service temporarily unavailable",
}


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nobody listen where the database is."""
    url = f"postgresql://todo:{PASSWORD}@127.0.0.1:{free_port()}/todo"
    handler = ConnectionHandler({"default": database_settings("DATABASE_URL", url, tmp_path)})
    monkeypatch.setattr(health, "connection", handler["default"])


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/ready", "/health/ready/", "/health/ready?x=1"])
def test_ready_answers_without_a_token(anybody: ApiClient, path: str) -> None:
    """A process that can do its work must say so, in the form of /health."""
    with time_machine.travel(NOON, tick=False):
        answer = anybody.send("GET", path)

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {"status": "ready", "timestamp": "2026-01-06T12:00:00.000000Z"}


@pytest.mark.django_db
def test_ready_asks_little_of_the_database(
    anybody: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A balancer asks every few seconds: is the table there, and what is in it."""
    with django_assert_num_queries(2):
        anybody.send("GET", "/health/ready")


@pytest.mark.django_db
def test_a_missing_migration_is_a_503(anybody: ApiClient, log: io.StringIO) -> None:
    """Nobody may be sent to a process whose tables are not there yet."""
    MigrationRecorder(connection).record_unapplied("tasks", "0001_initial")

    answer = anybody.send("GET", "/health/ready")

    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert int(answer["Retry-After"]) > 0
    assert answer["Cache-Control"] == "no-store"
    assert log.getvalue().count("Not ready: run migrate: 1 are missing") == 1


@pytest.mark.django_db
def test_a_migration_that_we_do_not_know_does_not_matter(anybody: ApiClient) -> None:
    """The release before must serve while the next one is rolled out."""
    MigrationRecorder(connection).record_applied("tasks", "9999_of_the_next_release")

    assert anybody.send("GET", "/health/ready").status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("away")
def test_a_database_that_is_away_is_a_503_without_internals(
    anybody: ApiClient, log: io.StringIO
) -> None:
    """The answer must not say what is where (FR-016), and the log no password (FR-017)."""
    answer = anybody.send("GET", "/health/ready")

    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert int(answer["Retry-After"]) > 0
    error, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert error["level"] == "ERROR"
    assert error["message"] == "Not ready: the database does not answer (OperationalError)"
    assert request["status"] == 503
    assert PASSWORD not in log.getvalue()


@pytest.mark.django_db
def test_ready_answers_head_without_a_body(anybody: ApiClient) -> None:
    """HEAD must work wherever GET does."""
    head, get = anybody.head("/health/ready"), anybody.get("/health/ready")

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(get.content))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_ready_refuses_other_methods(anybody: ApiClient, method: str) -> None:
    """A wrong method must be a 405 in JSON with ``Allow``."""
    answer = anybody.generic(method, "/health/ready")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json() == {"detail": "Method Not Allowed", "error": "Method Not Allowed"}
