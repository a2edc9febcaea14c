import json
from typing import Any

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db
TASKS = "/api/alice/tasks"


def test_without_a_token_nothing_is_created(anybody: ApiClient) -> None:
    """A caller who does not say who they are must be asked to (FR-004)."""
    response = anybody.send("POST", TASKS, {"title": "Buy milk"})

    assert response.status_code == 401
    assert response.json()["detail"] == "Missing authorization token"
    assert rows() == []


def test_with_a_bad_token_nothing_is_created() -> None:
    """A token that nobody signed must open nothing (SC-003)."""
    response = ApiClient(token="not.a.token").send("POST", TASKS, {"title": "Buy milk"})

    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid or malformed token"
    assert rows() == []


def test_on_another_users_path_nothing_is_created(bob: ApiClient) -> None:
    """Nobody must be able to put a task on somebody else's list (FR-005)."""
    response = bob.send("POST", TASKS, {"title": "Buy milk"})

    assert response.status_code == 403
    assert response.json()["detail"] == "Access forbidden: user_id mismatch"
    assert rows() == []


def test_a_task_needs_no_more_than_a_title() -> None:
    """The rest must have its defaults, the same time twice among them (FR-010 to FR-012)."""
    with travel("2026-01-06T15:30:00.123456Z", tick=False):
        response = ApiClient("alice").send("POST", TASKS, {"title": "Buy groceries"})

    assert response.status_code == 201
    assert json.loads(response.content, object_pairs_hook=list) == [
        ("id", Task.objects.get().id),
        ("user_id", "alice"),
        ("title", "Buy groceries"),
        ("description", None),
        ("completed", False),
        ("created_at", "2026-01-06T15:30:00.123456Z"),
        ("updated_at", "2026-01-06T15:30:00.123456Z"),
    ]


def test_a_new_task_has_the_same_time_twice_while_the_clock_runs(alice: ApiClient) -> None:
    """A new task must not look as if it had been changed (contract.md "A task")."""
    created = alice.send("POST", TASKS, {"title": "Buy milk"}).json()

    assert created["created_at"] == created["updated_at"]


@pytest.mark.parametrize("completed", [False, True])
@pytest.mark.parametrize("description", [None, "", " ", "Two litres"])
def test_what_is_sent_is_kept(alice: ApiClient, description: str | None, completed: bool) -> None:
    """A description of nothing and none at all must stay two things (contract.md "A task")."""
    sent = {"title": "Buy milk", "description": description, "completed": completed}

    created = alice.send("POST", TASKS, sent).json()

    assert {name: created[name] for name in sent} == sent
    assert alice.send("GET", f"{TASKS}/{created['id']}").json() == created


def test_a_task_belongs_to_the_tokens_user(alice: ApiClient) -> None:
    """The owner must be the caller, whatever the body says (FR-002, SC-002)."""
    created = alice.send("POST", TASKS, {"title": "Buy milk", "user_id": "bob"}).json()

    assert created["user_id"] == "alice"
    assert list(Task.objects.values_list("user_id", flat=True)) == ["alice"]


def test_fields_that_a_client_may_not_set_are_ignored(alice: ApiClient) -> None:
    """A whole task sent back must make a new one and change nothing of the old."""
    whole = TaskFactory.create()
    before = rows()
    sent = alice.send("GET", f"{TASKS}/{whole.id}").json() | {"title": "Another"}

    created = alice.send("POST", TASKS, sent).json()

    assert created["id"] != whole.id
    assert created["created_at"] > sent["created_at"]
    assert rows()[:-1] == before


@pytest.mark.parametrize("name", ["id", "user_id", "created_at", "updated_at", "priority", "", "é"])
@pytest.mark.parametrize("value", [None, "\0", "\ud800", 2**64, [], {"title": ""}], ids=ascii)
def test_an_ignored_field_may_hold_anything(alice: ApiClient, name: str, value: Any) -> None:
    """What is ignored must not be looked at (contract.md "A task")."""
    response = alice.send("POST", TASKS, {"title": "Buy milk", name: value})

    assert response.status_code == 201
    assert Task.objects.get().title == "Buy milk"


def test_two_posts_make_two_tasks(alice: ApiClient) -> None:
    """Equal titles must be two tasks, the later one with the higher id (FR-009)."""
    first, second = (alice.send("POST", TASKS, {"title": "Buy milk"}).json() for _ in range(2))

    assert first["id"] < second["id"]
    assert Task.objects.count() == 2


MISSING = {"loc": ["body", "title"], "msg": "field required", "type": "value_error.missing"}
NULL = {"msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}
NULL_TITLE = {"loc": ["body", "title"], **NULL}
NULL_COMPLETED = {"loc": ["body", "completed"], **NULL}


@pytest.mark.parametrize(
    ("body", "problems", "error"),
    [
        ({}, [MISSING], "Title: field required"),
        ({"Title": "Buy milk"}, [MISSING], "Title: field required"),
        ({"title": None}, [NULL_TITLE], "Title: none is not an allowed value"),
        (
            {"title": "Buy milk", "completed": None},
            [NULL_COMPLETED],
            "Completed: none is not an allowed value",
        ),
        (
            {"completed": None, "description": None},
            [MISSING, NULL_COMPLETED],
            "Title: field required; Completed: none is not an allowed value",
        ),
    ],
)
def test_a_new_task_must_have_what_it_needs(
    alice: ApiClient, body: object, problems: list[object], error: str
) -> None:
    """What is absent or null must be named (contract.md "Errors", FR-007)."""
    response = alice.send("POST", TASKS, body)

    assert response.status_code == 422
    assert response.json() == {"detail": problems, "error": error}
    assert rows() == []
