"""Faults of ours, of the database's, and the rate limit (contract.md "Errors")."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
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
from rest_framework.throttling import UserRateThrottle

from conftest import ApiClient
from tasks.models import Task
from tasks.views import TaskViewSet

TASKS = "/api/alice/tasks"
INTERNALS = "SELECT * FROM task at db.example.com in /srv/app/secret.py"
FAULT = {"detail": "Internal server error", "error": "Internal server error"}
UNAVAILABLE = {
    "detail": "Service temporarily unavailable",
    "error": "Service temporarily unavailable",
}


def broken(*args: Any, **kwargs: Any) -> None:
    """Fail with a message that nobody outside may read."""
    raise RuntimeError(INTERNALS)


def faulty_middleware(get_response: Any) -> Any:
    """Make a middleware that only fails."""
    return broken


@pytest.fixture(params=["view", "health", "middleware"])
def broken_path(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> str:
    """Break one place, and give the path that leads there."""
    if request.param == "view":
        monkeypatch.setattr(TaskViewSet, "list", broken)
    elif request.param == "health":
        monkeypatch.setattr("todo_project.health.JsonResponse", broken)
    else:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.faulty_middleware"]
    return "/health" if request.param == "health" else TASKS


@pytest.fixture
def client() -> ApiClient:
    """Sign a user in who gets to see what the server makes of a fault."""
    client = ApiClient("alice")
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_a_fault_is_a_500_without_internals(
    client: ApiClient, settings: Settings, broken_path: str, debug: bool
) -> None:
    """A fault must show nothing of itself, with DEBUG on too (FR-016)."""
    settings.DEBUG = debug

    answer = client.send("GET", broken_path, Accept="text/html")

    assert (answer.status_code, answer.json()) == (500, FAULT)
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_a_fault_is_logged_once_with_its_traceback_and_request_id(
    client: ApiClient, settings: Settings, broken_path: str, log: io.StringIO, debug: bool
) -> None:
    """An operator must find the cause of a 500 by the id in its answer."""
    settings.DEBUG = debug

    client.send("GET", broken_path, **{"X-Request-ID": "fault-1"})

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [error] = [line for line in lines if line["level"] == "ERROR"]
    assert error["request_id"] == "fault-1"
    assert error["exc_info"].endswith(f"RuntimeError: {INTERNALS}")
    assert log.getvalue().count(INTERNALS) == 1


def test_a_fault_in_a_head_request_has_no_body(client: ApiClient, broken_path: str) -> None:
    """A HEAD must be answered without a body, whatever happens (RFC 9110 §9.3.2)."""
    answer = client.head(broken_path)

    assert (answer.status_code, answer.content) == (500, b"")


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (OperationalError(INTERNALS), 503, UNAVAILABLE),
        (InterfaceError(INTERNALS), 503, UNAVAILABLE),
        (ProgrammingError(INTERNALS), 500, FAULT),
        (DataError(INTERNALS), 500, FAULT),
        (IntegrityError(INTERNALS), 500, FAULT),
        (DatabaseError(INTERNALS), 500, FAULT),
        (RecursionError(INTERNALS), 500, FAULT),
        (KeyError("detail"), 500, FAULT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_what_a_database_says_of_itself_is_a_503_and_all_else_a_500(
    client: ApiClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    status: int,
    body: dict[str, str],
    debug: bool,
) -> None:
    """A 503 must promise that a retry may help, and a fault of ours must not (contract.md)."""
    settings.DEBUG = debug

    def view(*args: Any, **kwargs: Any) -> None:
        raise fault

    monkeypatch.setattr(TaskViewSet, "list", view)

    answer = client.send("GET", TASKS)

    assert (answer.status_code, answer.json()) == (status, body)
    assert ("Retry-After" in answer) == (status == 503)


def test_retry_after_is_a_number_of_seconds(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client must be told when to come back (RFC 9110 §10.2.3)."""

    def view(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(TaskViewSet, "list", view)

    assert int(client.send("GET", TASKS)["Retry-After"]) > 0


def test_a_503_is_logged_once_with_its_cause(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """An operator must read why the database could not be used."""

    def view(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("too many connections")

    monkeypatch.setattr(TaskViewSet, "list", view)

    client.send("GET", TASKS, **{"X-Request-ID": "outage-1"})

    error, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert (error["level"], error["request_id"]) == ("ERROR", "outage-1")
    assert error["message"] == "The database cannot be used: too many connections"
    assert request["status"] == 503
    assert "Traceback" not in log.getvalue()


@pytest.fixture
def read_only(transactional_db: None) -> Iterator[None]:
    """Let the database refuse to write, as a standby does."""
    if connection.vendor == "sqlite":
        on, off = "PRAGMA query_only = ON", "PRAGMA query_only = OFF"
    else:
        session = "SET SESSION CHARACTERISTICS AS TRANSACTION"
        on, off = f"{session} READ ONLY", f"{session} READ WRITE"
    with connection.cursor() as cursor:
        cursor.execute(on)
    yield
    with connection.cursor() as cursor:
        cursor.execute(off)


@pytest.mark.usefixtures("read_only")
def test_a_database_that_only_reads_is_a_503_for_a_write(client: ApiClient) -> None:
    """A standby must not be taken for a fault of ours (SQLSTATE 25006)."""
    answer = client.send("POST", TASKS, {"title": "Buy milk"})

    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert not Task.objects.exists()


class OncePerMinute(UserRateThrottle):
    """The strictest of limits."""

    rate = "1/minute"


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Configure a rate limit."""
    monkeypatch.setattr(TaskViewSet, "throttle_classes", [OncePerMinute])
    yield
    cache.clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("limited")
def test_a_request_over_the_limit_is_a_429_in_the_contracts_words(client: ApiClient) -> None:
    """A limited client must be told when to come back (contract.md "Errors")."""
    client.send("POST", TASKS, {"title": "Buy milk"})

    answer = client.send("POST", TASKS, {"title": "Buy bread"})

    assert answer.status_code == 429
    assert answer.json() == {"detail": "Too many requests", "error": "Too many requests"}
    assert 0 < int(answer["Retry-After"]) <= 60
    assert [task.title for task in Task.objects.all()] == ["Buy milk"]


@pytest.mark.django_db
@pytest.mark.usefixtures("limited")
def test_the_limit_comes_after_the_check_of_the_path(client: ApiClient) -> None:
    """Another's path must be a 403 also over the limit (contract.md "Errors", 429)."""
    statuses = [client.send("GET", TASKS).status_code for _ in range(2)]

    assert statuses == [200, 429]
    assert client.send("GET", "/api/bob/tasks").status_code == 403
