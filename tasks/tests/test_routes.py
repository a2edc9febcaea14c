"""Who may do what on which route: one table, and every route and method that there is in it."""

from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from conftest import ApiClient, mint
from tasks.tests.endpoints import ENDPOINTS, Endpoint
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


# Routes that ask for no token, each tested where it lives; the admin's are those of its site
OPEN_ROUTES = {"health", "ready", "root", "openapi", "docs", "redoc", "admin", "static"}

NO_TOKEN = ("Missing authorization token", "Please sign in.", "Bearer")
BAD_TOKEN = (
    "Invalid or malformed token",
    "Please sign in.",
    'Bearer error="invalid_token"',
)
EXPIRED = (
    "Token has expired",
    "Your session has expired. Please sign in again.",
    'Bearer error="invalid_token"',
)
FORBIDDEN = {
    "detail": "Access forbidden: user_id mismatch",
    "error": "These tasks belong to another account.",
}
NOT_FOUND = {"detail": "Task not found", "error": "Task not found"}

every_endpoint = pytest.mark.parametrize(
    "endpoint", ENDPOINTS, ids=[f"{row.method} {row.route}" for row in ENDPOINTS]
)
slash = pytest.mark.parametrize("slash", ["", "/"], ids=["", "slash"])


def send(client: ApiClient, endpoint: Endpoint, user: str, task: int, slash: str = "") -> Any:
    """Call an endpoint."""
    path = endpoint.path.format(user=user, task=task)
    return client.send(endpoint.method, f"{path}{slash}", endpoint.body)


def test_every_route_and_method_has_its_row() -> None:
    """A route that is added must be added to this table as well (FR-014)."""
    found = {
        (str(pattern.name), method.upper())
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLPattern)  # all but the admin's
        for method in getattr(pattern.callback, "actions", {"open": None})
        if method != "head"  # which DRF adds at the first request
    }

    assert found == {(row.route, row.method) for row in ENDPOINTS} | {
        (route, "OPEN") for route in OPEN_ROUTES
    }


@slash
@every_endpoint
@pytest.mark.parametrize(
    ("token", "refusal"),
    [
        pytest.param(None, NO_TOKEN, id="no token"),
        pytest.param("not.a.token", BAD_TOKEN, id="malformed"),
        pytest.param(mint("alice", secret="x" * 32), BAD_TOKEN, id="another's signature"),
        pytest.param(mint("alice", exp=1_700_000_000), EXPIRED, id="expired"),
    ],
)
def test_nobody_comes_in_without_a_good_token(
    endpoint: Endpoint, token: str | None, refusal: tuple[str, str, str], slash: str
) -> None:
    """Every endpoint must refuse bad tokens and change nothing (FR-004, SC-003)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()
    detail, error, challenge = refusal

    response = send(ApiClient(token=token), endpoint, "alice", task.id, slash)

    assert (response.status_code, response["WWW-Authenticate"]) == (401, challenge)
    assert response.json() == {"detail": detail, "error": error}
    assert rows() == before


@slash
@every_endpoint
def test_another_users_path_is_closed(endpoint: Endpoint, bob: ApiClient, slash: str) -> None:
    """Every endpoint must refuse another user's path and change nothing (FR-005, SC-002)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = send(bob, endpoint, "alice", task.id, slash)

    assert response.status_code == 403
    assert response.json() == FORBIDDEN
    assert rows() == before


@slash
@every_endpoint
def test_another_users_path_is_closed_whosever_task_it_names(
    endpoint: Endpoint, bob: ApiClient, slash: str
) -> None:
    """The path must decide and not the task: one's own is not found by a stranger's path."""
    task = TaskFactory.create(user_id="bob")
    before = rows()

    response = send(bob, endpoint, "alice", task.id, slash)

    assert response.status_code == 403
    assert rows() == before


@slash
@every_endpoint
def test_another_users_task_is_out_of_reach_on_ones_own_path(
    endpoint: Endpoint, bob: ApiClient, slash: str
) -> None:
    """Another user's task must look absent, and stay as it is (FR-013, SC-002)."""
    task = TaskFactory.create(user_id="alice", title="alice's secret")
    before = rows()

    response = send(bob, endpoint, "bob", task.id, slash)

    assert response.status_code == endpoint.other
    assert b"alice" not in response.content
    assert rows()[:1] == before


@pytest.mark.parametrize("endpoint", [row for row in ENDPOINTS if row.other == 404])
def test_a_missing_task_and_another_users_are_answered_alike(
    endpoint: Endpoint, bob: ApiClient
) -> None:
    """Nothing must tell that a task exists (SC-002)."""
    task = TaskFactory.create(user_id="alice")

    foreign = send(bob, endpoint, "bob", task.id)
    missing = send(bob, endpoint, "bob", task.id + 1)

    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() == missing.json() == NOT_FOUND
    assert set(foreign.headers) == set(missing.headers)


@slash
@every_endpoint
def test_the_owner_comes_in(endpoint: Endpoint, alice: ApiClient, slash: str) -> None:
    """The same path with a slash must give the same answer, never a redirect (FR-014, FR-015)."""
    task = TaskFactory.create(user_id="alice")

    assert send(alice, endpoint, "alice", task.id, slash).status_code == endpoint.owner


@every_endpoint
@pytest.mark.parametrize("user", ["anybody", "bob", "alice"])
def test_only_what_was_read_may_be_kept(
    endpoint: Endpoint, user: str, request: pytest.FixtureRequest
) -> None:
    """A 200 to GET must be private and asked about again, all else never be stored."""
    task = TaskFactory.create(user_id="alice")
    read = user == "alice" and endpoint.method == "GET"

    response = send(request.getfixturevalue(user), endpoint, "alice", task.id)

    assert response["Cache-Control"] == ("private, no-cache" if read else "no-store")


def test_what_is_not_found_may_not_be_kept(alice: ApiClient) -> None:
    """A 404 to GET must not be stored (contract.md "Six endpoints and a health check")."""
    assert alice.send("GET", "/api/alice/tasks/5")["Cache-Control"] == "no-store"


@every_endpoint
def test_every_answer_is_json(endpoint: Endpoint, alice: ApiClient) -> None:
    """``Accept`` and ``?format=`` must not matter (contract.md "Six endpoints …")."""
    task = TaskFactory.create(user_id="alice")
    path = endpoint.path.format(user="alice", task=task.id) + "?format=xml"

    response = alice.send(endpoint.method, path, endpoint.body, Accept="text/html")

    assert response.status_code == endpoint.owner
    assert not response.content or response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/alice",
        "/api/alice/task",
        "/api//tasks",
        "/api/alice/tasks//",
        "/api/alice/tasks/5//",
        "/api/alice/tasks/5/complete//",
        "/api/alice/tasks/5/completed",
        "/api/alice/tasks/5/complete/now",
        "/api/alice/Tasks",
        "/API/alice/tasks",
        "/api/alice/tasks%0A",
        "/api/alice/tasks/5/complete%0A",
        "/x/api/alice/tasks",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_no_such_path(alice: ApiClient, path: str, method: str) -> None:
    """What is no route must be a 404, and never a redirect (contract.md "Errors")."""
    response = alice.generic(method, path)

    assert response.status_code == 404
    assert response.json() == {"detail": "Not Found", "error": "Not Found"}
