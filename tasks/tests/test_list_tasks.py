import json

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db
TASKS = "/api/alice/tasks"


def test_without_a_token_nothing_is_listed(anybody: ApiClient) -> None:
    """A caller who does not say who they are must be asked to (FR-004)."""
    TaskFactory.create()

    response = anybody.send("GET", TASKS)

    assert response.status_code == 401
    assert response.json() == {
        "detail": "Missing authorization token",
        "error": "Please sign in.",
    }


def test_with_a_bad_token_nothing_is_listed() -> None:
    """A token that nobody signed must open nothing (SC-003)."""
    TaskFactory.create()

    response = ApiClient(token="not.a.token").send("GET", TASKS)

    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid or malformed token"


def test_the_list_of_another_user_is_forbidden(bob: ApiClient) -> None:
    """Another user's path must be closed (FR-005)."""
    TaskFactory.create()

    response = bob.send("GET", TASKS)

    assert response.status_code == 403
    assert response.json() == {
        "detail": "Access forbidden: user_id mismatch",
        "error": "These tasks belong to another account.",
    }


def test_another_users_tasks_are_not_in_the_list(alice: ApiClient) -> None:
    """Another user's task must look absent (FR-013, SC-002)."""
    own = TaskFactory.create(user_id="alice")
    TaskFactory.create(user_id="bob", title="bob's secret")

    response = alice.send("GET", TASKS)

    assert [task["id"] for task in response.json()] == [own.id]
    assert b"bob's secret" not in response.content


def test_a_user_without_tasks_gets_an_empty_array(alice: ApiClient) -> None:
    """Nothing to do must be an empty list and no error."""
    response = alice.send("GET", TASKS)

    assert response.status_code == 200
    assert response.content == b"[]"


def test_tasks_are_listed_oldest_first(alice: ApiClient) -> None:
    """The order must be that of the ids, whatever has been changed since."""
    first, second, third = TaskFactory.create_batch(3)
    Task.objects.filter(pk=first.id).change(title="changed last")

    response = alice.send("GET", TASKS)

    assert [task["id"] for task in response.json()] == [first.id, second.id, third.id]


def test_a_listed_task_has_the_seven_keys_in_their_order() -> None:
    """A task must look as the contract shows it (contract.md "A task")."""
    with travel("2026-01-06T15:30:00.123456Z", tick=False):
        task = TaskFactory.create(title="Buy groceries", description=None, completed=False)
        response = ApiClient("alice").send("GET", TASKS)

    assert json.loads(response.content, object_pairs_hook=list) == [
        [
            ("id", task.id),
            ("user_id", "alice"),
            ("title", "Buy groceries"),
            ("description", None),
            ("completed", False),
            ("created_at", "2026-01-06T15:30:00.123456Z"),
            ("updated_at", "2026-01-06T15:30:00.123456Z"),
        ]
    ]


def test_a_task_is_in_the_list_as_soon_as_it_is_created(alice: ApiClient) -> None:
    """A created task must be in the list at once (SC-001)."""
    created = alice.send("POST", TASKS, {"title": "Buy milk"}).json()

    assert alice.send("GET", TASKS).json() == [created]


def test_the_list_is_not_cut(alice: ApiClient) -> None:
    """All of the caller's tasks must come, in a plain array."""
    TaskFactory.create_batch(150)

    assert len(alice.send("GET", TASKS).json()) == 150


def test_listing_changes_nothing(alice: ApiClient) -> None:
    """A GET must be safe."""
    TaskFactory.create_batch(2)
    before = rows()

    alice.send("GET", TASKS)

    assert rows() == before
