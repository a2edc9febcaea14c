"""Bodies and headers of errors (docs/contract.md, "Errors")."""

from itertools import product
from typing import Any, NamedTuple

import pytest
from pytest_django.fixtures import Settings

from conftest import ApiClient, mint

TASKS = "/api/alice/tasks"
MISSING = f"{TASKS}/1"
NOT_FOUND = {"detail": "Not Found", "error": "Not Found"}
LOG_IN = "Please sign in."
LOG_IN_AGAIN = "Your session has expired. Please sign in again."
EXPIRED = f"Bearer {mint(exp=1)}"
OTHER_USER = "These tasks belong to another account."
debug_or_not = pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])


class Row(NamedTuple):
    """A request and the expected status, ``detail`` and ``error`` (by default the detail)."""

    method: str
    path: str
    options: dict[str, Any]
    status: int
    detail: str
    error: str | None = None


ERRORS = [
    Row("POST", TASKS, {"body": "{"}, 400, "JSON parse error - "),
    Row("GET", TASKS, {"Host": "a b"}, 400, "Bad Request"),
    Row("GET", TASKS, {"Authorization": "Basic x"}, 401, "Missing authorization token", LOG_IN),
    Row("GET", TASKS, {"Authorization": "Bearer x"}, 401, "Invalid or malformed token", LOG_IN),
    Row("GET", TASKS, {"Authorization": EXPIRED}, 401, "Token has expired", LOG_IN_AGAIN),
    Row("GET", "/api/bob/tasks", {}, 403, "Access forbidden: user_id mismatch", OTHER_USER),
    Row("GET", MISSING, {}, 404, "Task not found"),
    Row("GET", "/nowhere", {}, 404, "Not Found"),
    Row("DELETE", TASKS, {}, 405, "Method Not Allowed"),
    Row("POST", "/health", {"body": "{}"}, 405, "Method Not Allowed"),
    Row("POST", TASKS, {"body": "x" * 65_537}, 413, "Request body too large"),
    Row("POST", TASKS, {"body": "{}", "type": "text/plain"}, 415, "Unsupported media type"),
]
ACCEPTED = ["text/html", "application/xml", "*/*;q=0", "nonsense"]
ACCEPTS: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    *((query, {"Accept": each}) for query, each in product(["", "?format=xml"], ACCEPTED)),
    ("?format=api", {"Accept": "text/html"}),
]


def send(client: ApiClient, row: Row, query: str, accept: dict[str, str]) -> Any:
    """Send the request of a row."""
    headers = {name: row.options[name] for name in row.options if name not in ("body", "type")}
    body, kind = row.options.get("body", ""), row.options.get("type", "application/json")
    return client.generic(row.method, row.path + query, body, kind, headers=headers | accept)


@pytest.mark.django_db
@debug_or_not
def test_an_error_is_json_for_any_accept_header(
    alice: ApiClient, settings: Settings, debug: bool
) -> None:
    """A body must have only ``detail`` and ``error`` (docs/contract.md, "Errors"; SC-008)."""
    settings.DEBUG = debug

    found, expected = {}, {}
    for row, accept in product(ERRORS, ACCEPTS):
        response = send(alice, row, *accept)
        kind, caching = response["Content-Type"], response["Cache-Control"]
        key = f"{row.status} {row.detail} {accept}"
        found[key] = response.status_code, list(response.json().items()), kind, caching
        detail = row.detail
        if detail.endswith(" - ") and response.json()["detail"].startswith(detail):
            detail = response.json()["detail"]  # the parser's message
        body = [("detail", detail), ("error", row.error or detail)]
        expected[key] = row.status, body, "application/json", "no-store"

    assert found == expected


@pytest.mark.django_db
def test_a_success_is_json_for_any_accept_header(alice: ApiClient) -> None:
    """Neither ``Accept`` nor ``format`` may change a response."""
    paths = [f"{TASKS}?format=xml", "/health?format=api", "/health"]
    found = {}
    for path, accept in product(paths, ACCEPTED):
        response = alice.send("GET", path, Accept=accept)
        found[path, accept] = response.status_code, response["Content-Type"]

    assert found == dict.fromkeys(found, (200, "application/json"))


def test_a_405_has_an_allow_header(alice: ApiClient) -> None:
    """A 405 must list the allowed methods (RFC 9110 §15.5.6)."""
    allowed = {
        (TASKS, "DELETE"): {"GET", "HEAD", "POST"},
        (MISSING, "POST"): {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
        (f"{MISSING}/complete", "GET"): {"PATCH"},
        (TASKS, "OPTIONS"): {"GET", "HEAD", "POST"},
        (TASKS, "PROPFIND"): {"GET", "HEAD", "POST"},
        ("/health", "DELETE"): {"GET", "HEAD"},
    }
    responses = {(path, method): alice.generic(method, path) for path, method in allowed}

    assert {response.status_code for response in responses.values()} == {405}
    assert {row: set(each["Allow"].split(", ")) for row, each in responses.items()} == allowed


@debug_or_not
def test_an_unknown_path_is_a_404_and_never_a_redirect(
    alice: ApiClient, settings: Settings, debug: bool
) -> None:
    """An unknown path must get the contract's 404 (docs/contract.md, "Errors")."""
    settings.DEBUG = debug
    paths = [
        *("//", "/api", "/api/", "/api/alice", "/api/alice/", "/api//tasks", "/api/alice//tasks"),
        *("/api/alice/tasks//", "/api/alice/tasks/1//", "/api/alice/tasks/1/complete//"),
        *("/api/alice/tasks/1/complete/2", "/api/alice/tasks/1/other", "/api/a/b/tasks"),
        *("/API/alice/tasks", "//api/alice/tasks", "/api/alice/tasks\n", "/health\n"),
        *("/health//", "/health/live", "/healthy", "/Admin/", "/static/missing.css"),
        "/favicon.ico",
    ]

    found = {}
    for path, secure in product(paths, [False, True]):
        # The test client would parse // as the start of a host name.
        response = alice.get(path, secure=secure, PATH_INFO=path)
        found[path, secure] = response.status_code, response.json(), "Location" in response

    assert found == dict.fromkeys(found, (404, NOT_FOUND, False))
