"""Every error's body and headers (contract.md "Errors")."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from conftest import ApiClient, mint
from tasks.models import Task

TASKS = "/api/alice/tasks"
MISSING = f"{TASKS}/1"
NOT_FOUND = {"detail": "Not Found", "error": "Not Found"}
PATHS_USER = "These tasks belong to another account."

Row = tuple[str, str, dict[str, Any], int, str, str | None]
# method, path, body and headers, status, detail, error (None where it is the detail)
ERRORS: list[Row] = [
    ("POST", TASKS, {"body": "{"}, 400, "JSON parse error - ", None),
    ("GET", TASKS, {"Host": "a b"}, 400, "Bad Request", None),
    (
        "GET",
        TASKS,
        {"Authorization": "Basic x"},
        401,
        "Missing authorization token",
        "Please sign in.",
    ),
    (
        "GET",
        TASKS,
        {"Authorization": "Bearer x"},
        401,
        "Invalid or malformed token",
        "Please sign in.",
    ),
    ("GET", "/api/bob/tasks", {}, 403, "Access forbidden: user_id mismatch", PATHS_USER),
    ("GET", MISSING, {}, 404, "Task not found", None),
    ("GET", "/nowhere", {}, 404, "Not Found", None),
    ("DELETE", TASKS, {}, 405, "Method Not Allowed", None),
    ("POST", "/health", {"body": "{}"}, 405, "Method Not Allowed", None),
    ("POST", TASKS, {"body": "x" * 65_537}, 413, "Request body too large", None),
    ("POST", TASKS, {"body": "{}", "type": "text/plain"}, 415, "Unsupported media type", None),
]


def ask(client: ApiClient, method: str, path: str, given: dict[str, Any]) -> Any:
    """Send one row of the table."""
    headers = {name: value for name, value in given.items() if name not in ("body", "type")}
    return client.generic(
        method,
        path,
        given.get("body", ""),
        given.get("type", "application/json"),
        headers=headers,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[3]} {row[4]}")
def test_an_error_has_a_detail_and_a_sentence_for_a_page(
    alice: ApiClient,
    settings: Settings,
    row: Row,
    debug: bool,
) -> None:
    """An error body must have exactly ``detail`` and ``error`` (contract.md "Errors"; SC-008)."""
    settings.DEBUG = debug
    method, path, given, status, detail, error = row

    answer = ask(alice, method, path, given)

    body = answer.json()
    assert (answer.status_code, list(body)) == (status, ["detail", "error"])
    assert body["detail"] == detail or (
        detail.endswith(" - ") and body["detail"].startswith(detail)
    )
    assert body["error"] == (error or body["detail"])


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "nonsense"])
@pytest.mark.parametrize("query", ["", "?format=xml", "?format=api"])
@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[3]} {row[4]}")
def test_an_error_is_json_whatever_is_asked_for(
    alice: ApiClient,
    row: Row,
    query: str,
    accept: str,
) -> None:
    """Every answer with a body is JSON (contract.md "Six endpoints and a health check")."""
    method, path, given, status, _, _ = row

    answer = ask(alice, method, path + query, {**given, "Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "nonsense"])
@pytest.mark.parametrize("path", [f"{TASKS}?format=xml", "/health?format=api", "/health"])
def test_a_success_is_json_whatever_is_asked_for(alice: ApiClient, path: str, accept: str) -> None:
    """Neither ``Accept`` nor ``format`` may change an answer (contract.md "Six endpoints")."""
    answer = alice.send("GET", path, Accept=accept)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_an_expired_token_has_its_own_sentence(anybody: ApiClient) -> None:
    """A page must be able to say that the session is over (contract.md "Errors")."""
    answer = anybody.send("GET", TASKS, Authorization=f"Bearer {mint('alice', exp=1)}")

    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "Token has expired",
        "error": "Your session has expired. Please sign in again.",
    }


@pytest.mark.django_db
def test_a_422_lists_each_wrong_field_and_joins_them_for_a_page(alice: ApiClient) -> None:
    """A 422 must have one entry a field, in their order (contract.md "Errors"; SC-008)."""
    answer = alice.send("POST", TASKS, {"completed": 1, "title": "x" * 201})

    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {
                "loc": ["body", "title"],
                "msg": "ensure this value has at most 200 characters",
                "type": "value_error.any_str.max_length",
            },
            {
                "loc": ["body", "completed"],
                "msg": "value could not be parsed to a boolean",
                "type": "type_error.bool",
            },
        ],
        "error": "Title: ensure this value has at most 200 characters; "
        "Completed: value could not be parsed to a boolean",
    }
    assert not Task.objects.exists()


def test_a_422_of_the_whole_body_has_no_label(alice: ApiClient) -> None:
    """A body that is no object must be named without a label (contract.md "Errors")."""
    answer = alice.send("POST", TASKS, [])

    assert answer.json()["error"] == "value is not a valid dict"
    assert answer.json()["detail"][0]["loc"] == ["body"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (TASKS, "DELETE", {"GET", "HEAD", "POST"}),
        (MISSING, "POST", {"GET", "HEAD", "PUT", "DELETE"}),
        (f"{MISSING}/complete", "GET", {"PATCH"}),
        (TASKS, "OPTIONS", {"GET", "HEAD", "POST"}),
        (TASKS, "PROPFIND", {"GET", "HEAD", "POST"}),
        ("/health", "DELETE", {"GET", "HEAD"}),
    ],
)
def test_a_405_says_what_is_allowed(
    alice: ApiClient, path: str, method: str, allowed: set[str]
) -> None:
    """A wrong method must be answered with ``Allow`` (contract.md "Six endpoints"; RFC 9110)."""
    answer = alice.generic(method, path)

    assert answer.status_code == 405
    assert set(answer["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "/api",
        "/api/",
        "/api/alice",
        "/api/alice/",
        "/api//tasks",
        "/api/alice//tasks",
        "/api/alice/tasks//",
        "/api/alice/tasks/1//",
        "/api/alice/tasks/1/complete//",
        "/api/alice/tasks/1/complete/2",
        "/api/alice/tasks/1/other",
        "/api/a/b/tasks",
        "/API/alice/tasks",
        "//api/alice/tasks",
        "/health//",
        "/health/live",
        "/healthy",
        "/Admin/",
        "/static/missing.css",
        "/favicon.ico",
        "/api/alice/tasks%0A",
        "/health%0A",
    ],
)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_an_unknown_path_is_a_404_and_never_a_redirect(
    alice: ApiClient, settings: Settings, path: str, secure: bool, debug: bool
) -> None:
    """Whatever is no route must be the contract's 404 (contract.md "Errors")."""
    settings.DEBUG = debug
    # The test client would take // for the start of a host name
    answer = alice.get(path, secure=secure, PATH_INFO=path.replace("%0A", "\n"))

    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    assert "Location" not in answer


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
def test_a_proxys_scheme_redirects_nothing(
    alice: ApiClient, settings: Settings, debug: bool
) -> None:
    """TLS ends at the proxy, so nothing is redirected to https (contract.md "Six endpoints")."""
    settings.DEBUG = debug
    for scheme in ("http", "https"):
        answer = alice.send("GET", "/health/", **{"X-Forwarded-Proto": scheme})
        assert answer.status_code == 200
