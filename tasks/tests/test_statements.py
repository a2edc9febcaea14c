"""What each endpoint asks of the database: one statement, and nothing around it.

With ``transaction=True``: the transaction of an ordinary test would hide theirs.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from conftest import ApiClient
from tasks.tests.factories import TaskFactory
from tasks.views import TaskViewSet
from todo_project.postgresql.connection import DeadlineConnection

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"title": "New", "description": "Text", "completed": True}

# method, path, body, how the one statement begins and what it must hold
happy = pytest.mark.parametrize(
    ("method", "path", "body", "beginning", "part"),
    [
        pytest.param("GET", "", None, "SELECT ", "ORDER BY 1 ASC", id="list"),
        pytest.param("HEAD", "", None, "SELECT ", "ORDER BY 1 ASC", id="head of list"),
        pytest.param("POST", "", NEW, "INSERT INTO ", ' RETURNING "task"."id"', id="create"),
        pytest.param("GET", "/{id}", None, "SELECT ", "WHERE", id="retrieve"),
        pytest.param("HEAD", "/{id}", None, "SELECT ", "WHERE", id="head"),
        pytest.param("PUT", "/{id}", NEW, "UPDATE ", " RETURNING ", id="update"),
        pytest.param("PUT", "/{id}", {}, "UPDATE ", " RETURNING ", id="update of nothing"),
        pytest.param("DELETE", "/{id}", None, "DELETE FROM ", "WHERE", id="delete"),
        pytest.param("PATCH", "/{id}/complete", None, "UPDATE ", " RETURNING ", id="complete"),
    ],
)


def statements(client: ApiClient, method: str, path: str, body: Any = None) -> list[str]:
    """Send a request to a path below ``/api/alice/tasks``; return what it asked of the database."""
    with CaptureQueriesContext(connection) as captured:
        client.send(method, f"/api/alice/tasks{path}", body)
    return [str(query["sql"]) for query in captured]


@pytest.fixture
def round_trips(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> Iterator[list[str | None]]:
    """Collect what really goes to the driver, Django's health check and ``PRAGMA`` included."""
    seen: list[str | None] = []
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        driver: Any = connection.connection
        driver.set_trace_callback(seen.append)
        yield seen
        driver.set_trace_callback(None)
    else:
        wait = DeadlineConnection.wait

        def counting(*args: Any, **kwargs: Any) -> Any:
            seen.append(None)
            return wait(*args, **kwargs)

        monkeypatch.setattr(DeadlineConnection, "wait", counting)
        yield seen


@happy
def test_an_endpoint_runs_one_statement(
    alice: ApiClient, method: str, path: str, body: Any, beginning: str, part: str
) -> None:
    """The happy path must be one statement that names the owner, with no transaction around it."""
    task = TaskFactory.create()

    (statement,) = statements(alice, method, path.format(id=task.id), body)

    assert statement.startswith(beginning)
    assert part in statement
    assert "'alice'" in statement


@happy
def test_an_endpoint_makes_one_round_trip(
    alice: ApiClient,
    round_trips: list[str | None],
    method: str,
    path: str,
    body: Any,
    beginning: str,
    part: str,
) -> None:
    """A reused connection must not be asked whether it is there (issue "The API, end to end")."""
    task = TaskFactory.create()
    connection.close_if_unusable_or_obsolete()  # what Django does as a request begins
    round_trips.clear()

    alice.send(method, f"/api/alice/tasks{path.format(id=task.id)}", body)

    assert len(round_trips) == 1


def test_the_list_is_one_statement_however_long_it_is(alice: ApiClient) -> None:
    """The number of statements must not grow with that of the tasks (SC-006)."""
    TaskFactory.create_batch(30)

    assert len(statements(alice, "GET", "")) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "beginnings"),
    [
        ("GET", "?limit=2&ordering=title", None, {}, ["SELECT"]),
        ("GET", "?search=x&completed=true", None, {}, ["SELECT"]),
        ("GET", "", None, {"If-None-Match": "*"}, ["SELECT"]),
        ("GET", "/{id}", None, {"If-None-Match": "*"}, ["SELECT"]),
        ("PUT", "/{id}", NEW, {"If-Match": "*"}, ["UPDATE"]),
        ("PUT", "/{id}", NEW, {"If-Match": "{tag}"}, ["SELECT", "UPDATE"]),
        ("PATCH", "/{id}/complete", None, {"If-Match": "{tag}"}, ["SELECT", "UPDATE"]),
        ("DELETE", "/{id}", None, {"If-Match": "{tag}"}, ["SELECT", "DELETE"]),
        ("DELETE", "/{id}", None, {"If-Match": '"another"'}, ["SELECT"]),
        ("POST", "", NEW, {"Idempotency-Key": "k"}, ["BEGIN", "INSERT", "INSERT", "COMMIT"]),
        (
            "POST",
            "",
            {**NEW, "id": 1, "created_at": "2026-01-06T15:30:00Z"},
            {},
            ["SELECT", "INSERT"],
        ),
        ("POST", "", {**NEW, "id": 1, "created_at": "yesterday"}, {}, ["INSERT"]),
        ("POST", "", {**NEW, "id": 1}, {}, ["INSERT"]),
    ],
)
def test_what_goes_beyond_the_plan_costs_what_it_needs(
    alice: ApiClient,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    beginnings: list[str],
) -> None:
    """Only who asks for more must pay for it (issue "Nothing lost, nothing twice")."""
    task = TaskFactory.create()
    tag = alice.send("GET", f"/api/alice/tasks/{task.id}")["ETag"]
    sent = {name: value.format(tag=tag) for name, value in headers.items()}

    with CaptureQueriesContext(connection) as captured:
        alice.send(method, f"/api/alice/tasks{path.format(id=task.id)}", body, **sent)

    assert [str(query["sql"]).split()[0] for query in captured] == beginnings


def test_a_missing_task_is_found_missing_by_one_statement(alice: ApiClient) -> None:
    """A 404 must cost what a 200 costs, so that the time it takes tells nothing."""
    theirs = TaskFactory.create(user_id="bob").id

    assert [
        len(statements(alice, method, f"/{theirs}{suffix}", body))
        for method, suffix, body in (
            ("GET", "", None),
            ("PUT", "", NEW),
            ("DELETE", "", None),
            ("PATCH", "/complete", None),
        )
    ] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", NEW),
        ("GET", "/5", None),
        ("PUT", "/5", NEW),
        ("DELETE", "/5", None),
        ("PATCH", "/5/complete", None),
        ("OPTIONS", "/5", None),
    ],
)
@pytest.mark.parametrize("user", ["anybody", "bob"])
def test_authentication_asks_the_database_nothing(
    request: pytest.FixtureRequest, user: str, method: str, path: str, body: Any
) -> None:
    """A 401 and a 403 must cost no statement (FR-001, FR-003)."""
    assert statements(request.getfixturevalue(user), method, path, body) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("PATCH", "", None, id="405"),
        pytest.param("POST", "", "{", id="400"),
        pytest.param("POST", "", " " * 70_000, id="413"),
        pytest.param("POST", "", {"title": ""}, id="422"),
        pytest.param("PUT", "/5", {"title": ""}, id="422 of an update"),
        pytest.param("GET", "/abc", None, id="404 of no id"),
        pytest.param("PUT", "/abc", NEW, id="404 of no id, update"),
        pytest.param("DELETE", "/abc", None, id="404 of no id, delete"),
        pytest.param("PATCH", f"/{2**63}/complete", None, id="404 of no id, complete"),
        pytest.param("GET", "/5/x", None, id="404 of no route"),
    ],
)
def test_what_needs_no_database_asks_it_nothing(
    alice: ApiClient, method: str, path: str, body: Any
) -> None:
    """What is refused by its form must cost no statement."""
    assert statements(alice, method, path, body) == []


def test_a_transaction_would_be_seen(alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests must be able to fail: a BEGIN around a view is one of its statements."""
    monkeypatch.setattr(TaskViewSet, "list", transaction.atomic(TaskViewSet.list))

    first, *_ = statements(alice, "GET", "")

    assert first.startswith("BEGIN")


def test_a_health_check_would_be_seen(round_trips: list[str | None]) -> None:
    """These tests must be able to fail: what is sent past Django's own log is counted."""
    driver: Any = connection.connection
    driver.execute("SELECT 1")  # as Django's health check does it

    assert len(round_trips) == 1
