"""Faults of ours and of the database's (docs/contract.md, "Errors")."""

import io
import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
)
from pytest_django.fixtures import Settings

from conftest import ApiClient
from tasks.models import Task
from tasks.views import TaskViewSet

TASKS = "/api/alice/tasks"
INTERNALS = "SELECT * FROM task at db.example.com in /srv/app/secret.py"
JSON = "application/json"
FAULT = {"detail": "Internal server error", "error": "Internal server error"}
UNAVAILABLE = dict.fromkeys(("detail", "error"), "Service temporarily unavailable")


def broken(*args: Any, **kwargs: Any) -> None:
    """Fail with a message that nobody outside may read."""
    raise RuntimeError(INTERNALS)


def faulty_middleware(get_response: Any) -> Any:
    """Make a middleware that only fails."""
    return broken


debug_or_not = pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])


@pytest.fixture(params=["view", "health", "middleware"])
def broken_path(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> str:
    """Break one place, and give the path that leads there."""
    if request.param == "view":
        monkeypatch.setattr(TaskViewSet, "list", broken)
    elif request.param == "health":
        monkeypatch.setattr("todo_project.status.health.JsonResponse", broken)
    else:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.faulty_middleware"]
    return "/health" if request.param == "health" else TASKS


@pytest.fixture
def client() -> ApiClient:
    """Sign a user in who gets to see what the server makes of a fault."""
    client = ApiClient("alice")
    client.raise_request_exception = False
    return client


@debug_or_not
def test_a_fault_is_a_500_without_internals_and_logged_once(
    client: ApiClient, settings: Settings, broken_path: str, log: io.StringIO, debug: bool
) -> None:
    """A fault must show nothing, and its cause be in the log by the id in its answer (FR-016)."""
    settings.DEBUG = debug

    answer = client.send("GET", broken_path, **{"Accept": "text/html", "X-Request-ID": "fault-1"})

    kept = answer["Content-Type"], answer["Cache-Control"]
    assert (answer.status_code, answer.json(), *kept) == (500, FAULT, JSON, "no-store")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [error] = [line for line in lines if line["level"] == "ERROR"]
    assert error["request_id"] == "fault-1"
    assert error["exc_info"].endswith(f"RuntimeError: {INTERNALS}")
    assert log.getvalue().count(INTERNALS) == 1


def test_a_fault_in_a_head_request_has_no_body(client: ApiClient, broken_path: str) -> None:
    """A HEAD must be answered without a body, whatever happens (RFC 9110 §9.3.2)."""
    answer = client.head(broken_path)

    assert (answer.status_code, answer.content) == (500, b"")


@debug_or_not
def test_what_a_database_says_of_itself_is_a_503_and_all_else_a_500(
    client: ApiClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    """A 503 must promise that a retry may help, and a fault of ours must not (docs/contract.md)."""
    settings.DEBUG = debug
    ours = [ProgrammingError, DataError, IntegrityError, DatabaseError, RecursionError, KeyError]
    found: dict[type[Exception], Any] = {}
    for fault in (OperationalError, InterfaceError, *ours):
        monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=fault(INTERNALS)))
        answer = client.send("GET", TASKS)
        found[fault] = answer.status_code, answer.json(), answer.headers.get("Retry-After")

    expected: dict[type[Exception], Any] = dict.fromkeys(ours, (500, FAULT, None))
    expected.update(dict.fromkeys((OperationalError, InterfaceError), (503, UNAVAILABLE, "2")))
    assert found == expected


def test_a_503_is_logged_once_with_its_cause(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """An operator must read why the database could not be used."""
    outage = OperationalError("too many connections")
    monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=outage))

    client.send("GET", TASKS, **{"X-Request-ID": "outage-1"})

    error, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert (error["level"], error["request_id"]) == ("ERROR", "outage-1")
    assert error["message"] == "The database cannot be used: too many connections"
    assert (request["status"], "Traceback" in log.getvalue()) == (503, False)


def test_a_database_that_only_reads_is_a_503_for_a_write(
    client: ApiClient, transactional_db: None
) -> None:
    """A standby must not be taken for a fault of ours (SQLSTATE 25006)."""
    switch = "SET SESSION CHARACTERISTICS AS TRANSACTION READ {}"
    on, off = switch.format("ONLY"), switch.format("WRITE")
    if connection.vendor == "sqlite":
        on, off = "PRAGMA query_only = ON", "PRAGMA query_only = OFF"
    with connection.cursor() as cursor:
        cursor.execute(on)
        answer = client.send("POST", TASKS, {"title": "Buy milk"})
        cursor.execute(off)

    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert not Task.objects.exists()
