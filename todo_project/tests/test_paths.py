"""Paths before and after WSGI has decoded them (contract.md "Six endpoints")."""

import pytest

from conftest import ApiClient
from tasks.models import Task

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
        ("/api/alice/tasks/1%2Fcomplete", "alice"),
        ("/api/%FF/tasks", "%FF"),
        ("/api/%ff/tasks", "%FF"),
        ("/api/%C3/tasks", "%C3"),
        ("/api/%C0%AF/tasks", "%C0%AF"),
        ("/api/%ED%A0%80/tasks", "%ED%A0%80"),
        ("/api/alice/tasks/%FF", "alice"),
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
