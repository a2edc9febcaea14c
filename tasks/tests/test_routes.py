"""Every route and method, with the status that each caller gets."""

from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from conftest import ApiClient, mint
from tasks.models import Task
from tasks.tests.endpoints import ENDPOINTS, ON_ONE_TASK, WRITES, Endpoint
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

# Routes that need no token; other modules test them.
OPEN_ROUTES = {"health", "ready", "root", "openapi", "docs", "redoc", "admin", "static"}

# A path with a trailing slash must get the same response, never a redirect.
CALLS = ENDPOINTS + [row._replace(path=f"{row.path}/") for row in ENDPOINTS]

INVALID = 'Bearer error="invalid_token"'
SIGN_IN = "Please sign in."
FORBIDDEN = {
    "detail": "Access forbidden: user_id mismatch",
    "error": "These tasks belong to another account.",
}
NOT_FOUND = {"detail": "Task not found", "error": "Task not found"}


def test_every_route_and_method_is_in_the_table() -> None:
    """A new route or method must be added to ``ENDPOINTS`` or ``OPEN_ROUTES`` (FR-014)."""
    found = {
        (str(pattern.name), method.upper())
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLPattern)  # not the admin's routes, which are below a URLResolver
        for method in getattr(pattern.callback, "actions", {"open": None})
        if method != "head"  # DRF adds HEAD on the first request
    }

    assert found == {(row.route, row.method) for row in ENDPOINTS} | {
        (route, "OPEN") for route in OPEN_ROUTES
    }


@pytest.mark.parametrize(
    ("claims", "detail", "error", "challenge"),
    [
        pytest.param(None, "Missing authorization token", SIGN_IN, "Bearer", id="no token"),
        pytest.param(
            {"secret": "x" * 32}, "Invalid or malformed token", SIGN_IN, INVALID, id="signature"
        ),
        pytest.param(
            {"exp": 1_700_000_000},
            "Token has expired",
            "Your session has expired. Please sign in again.",
            INVALID,
            id="expired",
        ),
        pytest.param("not.a.token", "Invalid or malformed token", SIGN_IN, INVALID, id="malformed"),
    ],
)
def test_every_endpoint_refuses_an_invalid_token(
    task: Task, claims: Any, detail: str, error: str, challenge: str
) -> None:
    """Every endpoint must refuse a missing or invalid token and change nothing (FR-004, SC-003)."""
    client = ApiClient(token=mint(**claims) if isinstance(claims, dict) else claims)
    before = rows()

    def outcome(endpoint: Endpoint) -> Any:
        response = endpoint.send(client, "alice", task.id)
        return response.status_code, response["WWW-Authenticate"], response.json(), rows()

    refusal = {"detail": detail, "error": error}
    assert wrong_rows(CALLS, outcome, (401, challenge, refusal, before)) == []


@pytest.mark.parametrize("owner", ["alice", "bob"])
def test_another_users_path_is_a_403(bob: ApiClient, owner: str) -> None:
    """Every endpoint must refuse another user's path and change nothing (FR-005, SC-002)."""
    task = TaskFactory.create(user_id=owner)
    before = rows()

    def outcome(endpoint: Endpoint) -> Any:
        response = endpoint.send(bob, "alice", task.id)
        return response.status_code, response.json(), rows()

    assert wrong_rows(CALLS, outcome, (403, FORBIDDEN, before)) == []


def test_another_users_task_is_a_404_on_the_callers_path(bob: ApiClient) -> None:
    """Another user's task must look absent and stay unchanged (FR-013, SC-002)."""
    task = TaskFactory.create(user_id="alice", title="alice's secret")
    before = rows()

    def outcome(endpoint: Endpoint) -> Any:
        response = endpoint.send(bob, "bob", task.id)
        is_secret = b"alice" not in response.content
        return response.status_code == endpoint.other, is_secret, rows()[:1]

    assert wrong_rows(CALLS, outcome, (True, True, before)) == []


def test_a_missing_task_looks_like_another_users(bob: ApiClient, task: Task) -> None:
    """A response must not reveal whether another user's task exists (SC-002)."""

    def outcome(endpoint: Endpoint) -> Any:
        theirs, missing = (endpoint.send(bob, "bob", task.id + number) for number in (0, 1))
        headers_match = set(theirs.headers) == set(missing.headers)
        return theirs.status_code, theirs.json(), missing.status_code, missing.json(), headers_match

    assert wrong_rows(ON_ONE_TASK, outcome, (404, NOT_FOUND) * 2 + (True,)) == []


def test_the_owner_gets_the_documented_status(alice: ApiClient) -> None:
    """A path must work with and without a trailing slash, without a redirect (FR-014, FR-015)."""
    responses = [row.send(alice, "alice", TaskFactory.create().id) for row in CALLS]

    assert {repr(row): got.status_code for row, got in zip(CALLS, responses, strict=True)} == {
        repr(row): row.owner for row in CALLS
    }


def test_only_the_task_in_the_path_is_written(alice: ApiClient) -> None:
    """A PUT, PATCH or DELETE must change only the task in its path; a GET or POST, no task."""
    TaskFactory.create(user_id="bob")
    TaskFactory.create()

    def written(endpoint: Endpoint) -> Any:
        task, before = TaskFactory.create(), rows()
        endpoint.send(alice, "alice", task.id)
        return [row[0] - task.id for row in before if row not in rows()]

    changes = {repr(row): [0] if row in WRITES else [] for row in ENDPOINTS}
    assert {repr(row): written(row) for row in ENDPOINTS} == changes


@pytest.mark.parametrize("user", ["anonymous", "bob", "alice"])
def test_only_successful_reads_may_be_cached(user: str, request: pytest.FixtureRequest) -> None:
    """A 200 to a GET must be private and revalidated; no other response may be stored."""
    client: ApiClient = request.getfixturevalue(user)

    def outcome(endpoint: Endpoint) -> Any:
        response = endpoint.send(client, "alice", TaskFactory.create().id)
        is_read = (response.status_code, endpoint.method) == (200, "GET")
        return response["Cache-Control"] == ("private, no-cache" if is_read else "no-store")

    assert wrong_rows(ENDPOINTS, outcome, True) == []
    assert client.send("GET", "/api/alice/tasks/5")["Cache-Control"] == "no-store"


def test_every_response_is_json(alice: ApiClient) -> None:
    """``Accept`` and ``?format=`` must be ignored."""

    def outcome(endpoint: Endpoint) -> Any:
        asked = endpoint._replace(path=f"{endpoint.path}?format=xml")
        response = asked.send(alice, "alice", TaskFactory.create().id, Accept="text/html")
        is_typed = response.headers.get("Content-Type") == "application/json"
        return response.status_code == endpoint.owner, is_typed or not response.content

    assert wrong_rows(ENDPOINTS, outcome, (True, True)) == []


UNKNOWN_PATHS = [
    *("/api", "/api/", "/api/alice", "/api/alice/task", "/api//tasks", "/api/alice/tasks//"),
    *("/api/alice/tasks/5//", "/api/alice/tasks/5/complete//", "/api/alice/tasks/5/completed"),
    *("/api/alice/tasks/5/complete/now", "/api/alice/Tasks", "/API/alice/tasks"),
    *("/api/alice/tasks%0A", "/api/alice/tasks/5/complete%0A", "/x/api/alice/tasks"),
]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_an_unknown_path_is_a_404(alice: ApiClient, method: str) -> None:
    """An unknown path must be a 404, never a redirect (docs/contract.md, "Errors")."""

    def outcome(path: str) -> Any:
        response = alice.generic(method, path)
        return response.status_code, response.json()

    not_found = {"detail": "Not Found", "error": "Not Found"}
    assert wrong_rows(UNKNOWN_PATHS, outcome, (404, not_found)) == []
