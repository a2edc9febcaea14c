"""Paths before and after WSGI has decoded them (contract.md "Six endpoints")."""

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

NOT_FOUND = {"detail": "Not Found", "error": "Not Found"}


@pytest.mark.parametrize(
    ("raw", "user_id"),
    [
        ("/api/a%2Fb/tasks", "a/b"),
        ("/api/a%2fb/tasks", "a/b"),
        ("/api/alice%2Ftasks", "alice"),
        ("/api%2Falice/tasks", "alice"),
        ("/api/alice/tasks%2F", "alice"),
        ("/%2Fapi/alice/tasks", "alice"),
        ("/api/alice/tasks%2F1", "alice"),
        ("/api/alice/tasks/1/complete%2F", "alice"),
        ("/api/alice/tasks/1%2F2/complete%2F", "alice"),
        ("/api/a%2Fb/tasks/1%2F2", "a/b"),
        ("/api/%FF/tasks", "%FF"),
        ("/api/%ff/tasks", "%FF"),
        ("/api/%C3/tasks", "%C3"),
        ("/api/%C0%AF/tasks", "%C0%AF"),
        ("/api/%ED%A0%80/tasks", "%ED%A0%80"),
        ("/api/%FF/tasks/%FF", "%FF"),
        ("/health%2F", "alice"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_path_that_only_decoding_makes_one_of_ours_is_missing(
    raw: str, user_id: str, method: str
) -> None:
    """``%2F`` and bytes that are not UTF-8 have no path, also for the user of that name."""
    answer = ApiClient(user_id).generic(method, raw, RAW_URI=raw)

    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


no_task = pytest.mark.parametrize(
    "raw",
    [
        "/api/alice/tasks/%FF",
        "/api/alice/tasks/1%FF",
        "/api/alice/tasks/%C3/",
        "/api/alice/tasks/1%2F2",
        "/api/alice/tasks/1%2f",
        "/api/alice/tasks/%2F1",
        "/api/alice/tasks/1%2Fcomplete",
        "/api/%61lice/%74asks/1%2F2",
        "http://testserver/api/alice/tasks/1%2F2",
        "/api/alice/tasks/1%2F2?x=y",
    ],
)


@pytest.mark.django_db
@no_task
@pytest.mark.parametrize(
    ("user_id", "method", "status", "detail"),
    [
        (None, "GET", 401, "Missing authorization token"),
        ("bob", "GET", 403, "Access forbidden: user_id mismatch"),
        ("alice", "PATCH", 405, "Method Not Allowed"),
        ("alice", "OPTIONS", 405, "Method Not Allowed"),
        ("alice", "PUT", 400, "JSON parse error"),
        ("alice", "GET", 404, "Task not found"),
        ("alice", "DELETE", 404, "Task not found"),
    ],
)
def test_a_task_id_that_decoding_would_spoil_is_a_missing_task(
    raw: str, user_id: str | None, method: str, status: int, detail: str
) -> None:
    """It must be one at the same place in the order of checks (contract.md "Six endpoints")."""
    TaskFactory.create(id=1, user_id="alice")
    before = rows()

    answer = ApiClient(user_id).generic(method, raw, RAW_URI=raw)

    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (status, detail)
    assert rows() == before


@pytest.mark.django_db
@no_task
def test_a_flip_of_a_task_id_that_decoding_would_spoil_is_of_a_missing_task(
    alice: ApiClient, raw: str
) -> None:
    """The endpoint behind the id must answer as the id's own does."""
    raw = f"{raw.partition('?')[0].rstrip('/')}/complete"

    answer = alice.generic("PATCH", raw, RAW_URI=raw)

    assert (answer.status_code, answer.json()["detail"]) == (404, "Task not found")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "user_id"),
    [
        ("/api/a%252Fb/tasks", "a%2Fb"),
        ("/api/%25FF/tasks", "%FF"),
        ("/api/%61lice/tasks", "alice"),
        ("/api/Zo%C3%AB/tasks", "Zoë"),
        ("/api/%F0%9F%90%BC/tasks", "\N{PANDA FACE}"),
        ("/api/a+b/tasks", "a+b"),
        ("/api/a%3Fb/tasks", "a?b"),
        ("/api/a%0Ab/tasks", "a\nb"),
        ("/api/alice/tasks?x=%2F&y=%FF", "alice"),
        ("/api/%2E%2E/tasks", ".."),
    ],
)
def test_a_user_id_is_decoded_once(raw: str, user_id: str) -> None:
    """The path's user must be decoded once, as UTF-8, and compared exactly (FR-003)."""
    task = Task.objects.add(user_id=user_id, title="Buy milk")

    answer = ApiClient(user_id).get(raw, RAW_URI=raw)

    assert answer.status_code == 200
    assert [each["id"] for each in answer.json()] == [task.id]


@pytest.mark.parametrize(
    ("raw", "user_id"),
    [
        ("/api/a%252Fb/tasks", "a/b"),
        ("/api/%25FF/tasks", "\xff"),
        ("/api/%2561lice/tasks", "alice"),
        ("/api/Zoe%CC%88/tasks", "Zoë"),
        ("/api/Alice/tasks", "alice"),
        ("/api/alice%20/tasks", "alice"),
        ("/api/a+b/tasks", "a b"),
    ],
)
def test_a_user_id_that_differs_in_any_character_is_another_users(raw: str, user_id: str) -> None:
    """Nothing may be decoded twice, normalised or trimmed (FR-003, FR-005)."""
    answer = ApiClient(user_id).get(raw, RAW_URI=raw)

    assert answer.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("raw", ["/api/alice/tasks", ""])
def test_a_path_without_escapes_is_taken_as_it_is(alice: ApiClient, raw: str) -> None:
    """A server that does not tell the raw path must work, too."""
    assert alice.get("/api/alice/tasks", RAW_URI=raw).status_code == 200
