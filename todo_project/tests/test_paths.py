"""Percent-encoded paths (docs/contract.md, "Six endpoints and a health check")."""

from itertools import product

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

NOT_FOUND = {"detail": "Not Found", "error": "Not Found"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MISSING_PATHS = {
    **dict.fromkeys(("/api/a%2Fb/tasks", "/api/a%2fb/tasks", "/api/a%2Fb/tasks/1%2F2"), "a/b"),
    **dict.fromkeys(("/api/alice%2Ftasks", "/api%2Falice/tasks", "/api/alice/tasks%2F"), "alice"),
    **dict.fromkeys(("/%2Fapi/alice/tasks", "/api/alice/tasks%2F1", "/health%2F"), "alice"),
    "/api/alice/tasks/1/complete%2F": "alice",
    "/api/alice/tasks/1%2F2/complete%2F": "alice",
    **dict.fromkeys(("/api/%FF/tasks", "/api/%ff/tasks", "/api/%FF/tasks/%FF"), "%FF"),
    **{f"/api/{each}/tasks": each for each in ("%C3", "%C0%AF", "%ED%A0%80")},
}
MISSING_TASKS = [
    *("/api/alice/tasks/%FF", "/api/alice/tasks/1%FF", "/api/alice/tasks/%C3/"),
    *("/api/alice/tasks/1%2F2", "/api/alice/tasks/1%2f", "/api/alice/tasks/%2F1"),
    *("/api/alice/tasks/1%2Fcomplete", "/api/%61lice/%74asks/1%2F2"),
    *("http://testserver/api/alice/tasks/1%2F2", "/api/alice/tasks/1%2F2?x=y"),
]
# The refusals, in the order of checks
REFUSALS = [
    (None, "GET", 401, "Missing authorization token"),
    ("bob", "GET", 403, "Access forbidden: user_id mismatch"),
    ("alice", "POST", 405, "Method Not Allowed"),
    ("alice", "OPTIONS", 405, "Method Not Allowed"),
    ("alice", "PUT", 400, "JSON parse error"),
    ("alice", "PATCH", 400, "JSON parse error"),
    ("alice", "GET", 404, "Task not found"),
    ("alice", "DELETE", 404, "Task not found"),
]
DECODED = {
    "/api/a%252Fb/tasks": "a%2Fb",
    "/api/%25FF/tasks": "%FF",
    "/api/%61lice/tasks": "alice",
    "/api/Zo%C3%AB/tasks": "Zoë",
    "/api/%F0%9F%90%BC/tasks": "\N{PANDA FACE}",
    "/api/a+b/tasks": "a+b",
    "/api/a%3Fb/tasks": "a?b",
    "/api/a%0Ab/tasks": "a\nb",
    "/api/alice/tasks?x=%2F&y=%FF": "alice",
    "/api/%2E%2E/tasks": "..",
}
OTHER_USERS = {
    "/api/a%252Fb/tasks": "a/b",
    "/api/%25FF/tasks": "\xff",
    "/api/%2561lice/tasks": "alice",
    "/api/Zoe%CC%88/tasks": "Zoë",
    "/api/Alice/tasks": "alice",
    "/api/alice%20/tasks": "alice",
    "/api/a+b/tasks": "a b",
}


def test_a_path_that_only_matches_after_decoding_is_unknown() -> None:
    """``%2F`` and invalid UTF-8 must cause a 404, even for the user with the decoded id."""
    found = {}
    for (raw, user_id), method in product(MISSING_PATHS.items(), METHODS):
        answer = ApiClient(user_id).generic(method, raw, RAW_URI=raw)
        found[raw, method] = answer.status_code, answer.json()

    assert found == dict.fromkeys(found, (404, NOT_FOUND))


@pytest.mark.django_db
def test_an_encoded_slash_or_invalid_utf8_in_a_task_id_is_a_missing_task() -> None:
    """``%2F`` or bad UTF-8 in a task id must get a missing task's 404, after the same checks."""
    TaskFactory.create(id=1, user_id="alice")
    before = rows()
    flips = [f"{raw.partition('?')[0].rstrip('/')}/complete" for raw in MISSING_TASKS]
    requests = [
        *product(MISSING_TASKS, REFUSALS),
        *product(flips, [("alice", "PATCH", 404, "Task not found")]),
    ]

    found, expected = {}, {}
    for raw, (user_id, method, status, detail) in requests:
        answer = ApiClient(user_id).generic(method, raw, RAW_URI=raw)
        row = (raw, user_id, method)
        found[row] = answer.status_code, answer.json()["detail"][: len(detail)]
        expected[row] = status, detail

    assert found == expected
    assert rows() == before


@pytest.mark.django_db
def test_a_user_id_is_decoded_once() -> None:
    """The user id in the path must be decoded once, as UTF-8, and compared exactly (FR-003)."""
    for user_id in set(DECODED.values()):
        Task.objects.add(user_id=user_id, title=user_id)

    found = {}
    for raw, user_id in DECODED.items():
        answer = ApiClient(user_id).get(raw, RAW_URI=raw)
        tasks = answer.json() if answer.status_code == 200 else []
        found[raw] = [task["title"] for task in tasks]

    assert found == {raw: [user_id] for raw, user_id in DECODED.items()}


def test_a_user_id_that_differs_in_any_character_is_another_user() -> None:
    """A user id must not be decoded twice, normalised or trimmed (FR-003, FR-005)."""
    found = {
        raw: ApiClient(user_id).get(raw, RAW_URI=raw).status_code
        for raw, user_id in OTHER_USERS.items()
    }

    assert found == dict.fromkeys(OTHER_USERS, 403)


@pytest.mark.django_db
def test_a_path_without_escapes_needs_no_raw_uri(alice: ApiClient) -> None:
    """A path without escapes must work, even if the server does not set RAW_URI."""
    for raw in ("/api/alice/tasks", ""):
        assert alice.get("/api/alice/tasks", RAW_URI=raw).status_code == 200, raw
