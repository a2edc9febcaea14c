"""Each endpoint runs one statement, outside a transaction.

These tests need ``transaction=True``: the transaction around an ordinary test would hide one that
an endpoint begins.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from conftest import ApiClient
from tasks.tests.endpoints import ON_ONE_TASK, Endpoint
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS
from tasks.tests.tables import wrong_rows
from tasks.views import TaskViewSet

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"title": "New", "description": "Text", "completed": True}

# method, path below the list, body
Call = tuple[str, str, Any]

# request, beginning of its statement, another part of the statement
HAPPY: list[tuple[Call, str, str]] = [
    (("GET", "", None), "SELECT ", "ORDER BY 1 ASC"),
    (("HEAD", "", None), "SELECT ", "ORDER BY 1 ASC"),
    (("POST", "", NEW), "INSERT INTO ", ' RETURNING "task"."id"'),
    (("GET", "/{id}", None), "SELECT ", "WHERE"),
    (("HEAD", "/{id}", None), "SELECT ", "WHERE"),
    (("PUT", "/{id}", NEW), "UPDATE ", " RETURNING "),
    (("PUT", "/{id}", {}), "UPDATE ", " RETURNING "),
    (("DELETE", "/{id}", None), "DELETE FROM ", "WHERE"),
    (("PATCH", "/{id}/complete", None), "UPDATE ", " RETURNING "),
]


def statements(client: ApiClient, call: Call, **headers: str) -> list[str]:
    """Create a task for Alice, send a request, and return the statements that the request ran.

    ``{id}`` in the path and ``{tag}`` in ``headers`` are replaced by the task's id and entity tag.
    """
    method, path, body = call
    task = f"{TASKS}/{TaskFactory.create().id}"
    tag = ApiClient("alice").send("GET", task)["ETag"]
    sent = {name: value.format(tag=tag) for name, value in headers.items()}
    url = f"{TASKS}{path}".replace(f"{TASKS}/{{id}}", task)
    with CaptureQueriesContext(connection) as captured:
        client.send(method, url, body, **sent)
    return [str(query["sql"]) for query in captured]


@pytest.fixture
def round_trips(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> Iterator[list[str | None]]:
    """Collect the calls to the driver, including those that Django does not log."""
    seen: list[str | None] = []
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        driver: Any = connection.connection
        driver.set_trace_callback(seen.append)
        yield seen
        driver.set_trace_callback(None)
    else:
        wait = psycopg.Connection.wait

        def counting(*args: Any, **kwargs: Any) -> Any:
            seen.append(None)
            return wait(*args, **kwargs)

        monkeypatch.setattr(psycopg.Connection, "wait", counting)
        yield seen


def test_an_endpoint_runs_one_statement(alice: ApiClient) -> None:
    """A successful request must run one statement that names the owner, without a transaction."""

    def outcome(row: tuple[Call, str, str]) -> Any:
        call, beginning, part = row
        ran = statements(alice, call)
        return [(each.startswith(beginning), part in each, "'alice'" in each) for each in ran]

    assert wrong_rows(HAPPY, outcome, [(True, True, True)]) == []


def test_an_endpoint_makes_one_round_trip(alice: ApiClient, round_trips: list[str | None]) -> None:
    """A reused connection must not be checked with a query (SC-006)."""

    def number(row: tuple[Call, str, str]) -> int:
        (method, path, body), *_ = row
        task = TaskFactory.create()
        connection.close_if_unusable_or_obsolete()  # as application() does at the end of a request
        round_trips.clear()
        alice.send(method, f"{TASKS}{path.format(id=task.id)}", body)
        return len(round_trips)

    assert wrong_rows(HAPPY, number, 1) == []


def test_the_list_is_one_statement_at_any_length(alice: ApiClient) -> None:
    """The number of statements must not grow with the number of tasks (SC-006)."""
    TaskFactory.create_batch(30)

    assert len(statements(alice, ("GET", "", None))) == 1


COPY = {**NEW, "id": 1, "created_at": "2026-01-06T15:30:00Z"}


FEATURES: list[tuple[Call, dict[str, str], list[str]]] = [
    (("GET", "?limit=2&ordering=title", None), {}, ["SELECT"]),
    (("GET", "?search=x&completed=true", None), {}, ["SELECT"]),
    (("GET", "", None), {"If-None-Match": "*"}, ["SELECT"]),
    (("GET", "/{id}", None), {"If-None-Match": "*"}, ["SELECT"]),
    (("PUT", "/{id}", NEW), {"If-Match": "*"}, ["UPDATE"]),
    (("PUT", "/{id}", NEW), {"If-Match": "{tag}"}, ["SELECT", "UPDATE"]),
    (("PATCH", "/{id}/complete", None), {"If-Match": "{tag}"}, ["SELECT", "UPDATE"]),
    (("DELETE", "/{id}", None), {"If-Match": "{tag}"}, ["SELECT", "DELETE"]),
    (("DELETE", "/{id}", None), {"If-Match": '"another"'}, ["SELECT"]),
    (("POST", "", NEW), {"Idempotency-Key": "k"}, ["BEGIN", "INSERT", "INSERT", "COMMIT"]),
    (("POST", "", COPY), {}, ["SELECT", "INSERT"]),
    (("POST", "", COPY | {"created_at": "yesterday"}), {}, ["INSERT"]),
    (("POST", "", NEW | {"id": 1}), {}, ["INSERT"]),
]


def test_only_extra_features_cost_extra_statements(alice: ApiClient) -> None:
    """Only requests that use a feature may pay for it."""
    ran = [
        (call, headers, [each.split()[0] for each in statements(alice, call, **headers)])
        for call, headers, _ in FEATURES
    ]

    assert ran == FEATURES


def test_a_404_costs_as_many_statements_as_a_200(bob: ApiClient) -> None:
    """The response time of a 404 must not reveal whether a task exists."""
    theirs = TaskFactory.create().id

    def number(endpoint: Endpoint) -> int:
        with CaptureQueriesContext(connection) as captured:
            endpoint.send(bob, "bob", theirs)
        return len(captured)

    assert wrong_rows(ON_ONE_TASK, number, 1) == []


@pytest.mark.parametrize("user", ["anonymous", "bob"])
def test_authentication_runs_no_statement(request: pytest.FixtureRequest, user: str) -> None:
    """401 and 403 must run no statement (FR-001, FR-003)."""
    client: ApiClient = request.getfixturevalue(user)
    calls = [call for call, *_ in HAPPY] + [("OPTIONS", "/{id}", None)]

    assert wrong_rows(calls, lambda call: statements(client, call), []) == []


def test_invalid_requests_run_no_statement(alice: ApiClient) -> None:
    """A request that is invalid in itself must run no statement."""
    refused: list[Call] = [
        ("PATCH", "", None),  # 405
        ("POST", "", "{"),  # 400
        ("POST", "", " " * 70_000),  # 413
        ("POST", "", {"title": ""}),  # 422
        ("PUT", "/5", {"title": ""}),
        ("GET", "/abc", None),  # 404, not an id
        ("PUT", "/abc", NEW),
        ("DELETE", "/abc", None),
        ("PATCH", f"/{2**63}/complete", None),
        ("GET", "/5/x", None),  # 404, not a route
    ]

    assert wrong_rows(refused, lambda call: statements(alice, call), []) == []


def test_a_transaction_would_be_seen(alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests must be able to fail: a BEGIN counts as a statement."""
    monkeypatch.setattr(TaskViewSet, "list", transaction.atomic(TaskViewSet.list))

    first, *_ = statements(alice, ("GET", "", None))

    assert first.startswith("BEGIN")


def test_a_health_check_would_be_seen(round_trips: list[str | None]) -> None:
    """These tests must be able to fail: a query outside Django's log is counted."""
    driver: Any = connection.connection
    driver.execute("SELECT 1")  # as Django's health check does

    assert len(round_trips) == 1
