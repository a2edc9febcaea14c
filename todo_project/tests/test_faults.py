"""Exceptions and database errors (docs/contract.md, "Errors")."""

import io
import json
import sys
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.signals import got_request_exception
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
    """Raise an error whose message must not reach a client."""
    raise RuntimeError(INTERNALS)


def faulty_middleware(get_response: Any) -> Any:
    """Create a middleware that raises an error."""
    return broken


debug_or_not = pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])


@pytest.fixture(params=["view", "health", "middleware"])
def broken_path(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> str:
    """Break one component, and return a path that uses it."""
    if request.param == "view":
        monkeypatch.setattr(TaskViewSet, "list", broken)
    elif request.param == "health":
        monkeypatch.setattr("todo_project.status.health.JsonResponse", broken)
    else:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.faulty_middleware"]
    return "/health" if request.param == "health" else TASKS


@pytest.fixture
def client() -> ApiClient:
    """Return a client that receives a 500 instead of raising the exception."""
    client = ApiClient("alice")
    client.raise_request_exception = False
    return client


@debug_or_not
def test_an_exception_is_a_500_without_internals_and_logged_once(
    client: ApiClient, settings: Settings, broken_path: str, log: io.StringIO, debug: bool
) -> None:
    """The log entry must have the traceback and the request id (FR-016)."""
    settings.DEBUG = debug

    response = client.send("GET", broken_path, **{"Accept": "text/html", "X-Request-ID": "fault-1"})

    kept = response["Content-Type"], response["Cache-Control"]
    assert (response.status_code, response.json(), *kept) == (500, FAULT, JSON, "no-store")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [error] = [line for line in lines if line["level"] == "ERROR"]
    assert error["request_id"] == "fault-1"
    assert error["exc_info"].endswith(f"RuntimeError: {INTERNALS}")
    assert log.getvalue().count(INTERNALS) == 1


def test_an_exception_in_a_head_request_has_no_body(client: ApiClient, broken_path: str) -> None:
    """The response to a HEAD must have no body (RFC 9110, section 9.3.2)."""
    response = client.head(broken_path)

    assert (response.status_code, response.content) == (500, b"")


def test_an_exception_is_reported_once_by_djangos_signal(
    client: ApiClient, broken_path: str
) -> None:
    """Error reporters must learn of each exception (Django, "got_request_exception")."""
    reported = []

    def receive(sender: Any, request: Any, **kwargs: Any) -> None:
        reported.append((request.path, str(sys.exc_info()[1])))

    got_request_exception.connect(receive)
    client.send("GET", broken_path)
    got_request_exception.disconnect(receive)

    assert reported == [(broken_path, INTERNALS)]


@debug_or_not
def test_an_unusable_database_is_a_503_and_any_other_error_a_500(
    client: ApiClient, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    """Only a 503 may suggest a retry (docs/contract.md, "Errors")."""
    settings.DEBUG = debug
    bugs = [ProgrammingError, DataError, IntegrityError, DatabaseError, RecursionError, KeyError]
    found: dict[type[Exception], Any] = {}
    for fault in (OperationalError, InterfaceError, *bugs):
        monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=fault(INTERNALS)))
        response = client.send("GET", TASKS)
        found[fault] = response.status_code, response.json(), response.headers.get("Retry-After")

    expected: dict[type[Exception], Any] = dict.fromkeys(bugs, (500, FAULT, None))
    expected.update(dict.fromkeys((OperationalError, InterfaceError), (503, UNAVAILABLE, "2")))
    assert found == expected


def test_a_503_is_logged_once_with_its_cause(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """The log must say why the database could not be used; an outage is not reported as a fault."""
    outage = OperationalError("too many connections")
    client.raise_request_exception = True
    monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=outage))

    client.send("GET", TASKS, **{"X-Request-ID": "outage-1"})

    error, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert (error["level"], error["request_id"]) == ("ERROR", "outage-1")
    assert error["message"] == "The database cannot be used: too many connections"
    assert (request["status"], "Traceback" in log.getvalue()) == (503, False)


def test_a_write_to_a_read_only_database_is_a_503(
    client: ApiClient, transactional_db: None
) -> None:
    """A standby server must count as an outage, not a bug (SQLSTATE 25006)."""
    switch = "SET SESSION CHARACTERISTICS AS TRANSACTION READ {}"
    on, off = switch.format("ONLY"), switch.format("WRITE")
    if connection.vendor == "sqlite":
        on, off = "PRAGMA query_only = ON", "PRAGMA query_only = OFF"
    with connection.cursor() as cursor:
        cursor.execute(on)
        response = client.send("POST", TASKS, {"title": "Buy milk"})
        cursor.execute(off)

    assert (response.status_code, response.json()) == (503, UNAVAILABLE)
    assert not Task.objects.exists()
