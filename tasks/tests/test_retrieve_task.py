import json

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


def test_without_a_token_no_task_is_shown(anybody: ApiClient) -> None:
    """A caller who does not say who they are must be asked to (FR-004)."""
    task = TaskFactory.create()

    response = anybody.send("GET", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 401
    assert response.json()["detail"] == "Missing authorization token"


def test_with_a_bad_token_no_task_is_shown() -> None:
    """A token that nobody signed must open nothing (SC-003)."""
    task = TaskFactory.create()

    response = ApiClient(token="not.a.token").send("GET", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid or malformed token"


def test_on_another_users_path_no_task_is_shown(bob: ApiClient) -> None:
    """Another user's path must be closed (FR-005)."""
    task = TaskFactory.create(user_id="alice")

    response = bob.send("GET", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 403
    assert response.json()["detail"] == "Access forbidden: user_id mismatch"


def test_another_users_task_looks_absent(bob: ApiClient) -> None:
    """Another user's task must answer exactly as one that does not exist (FR-013, SC-002)."""
    task = TaskFactory.create(user_id="alice")

    foreign = bob.send("GET", f"/api/bob/tasks/{task.id}")
    missing = bob.send("GET", f"/api/bob/tasks/{task.id + 1}")

    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    assert foreign.json() == {"detail": "Task not found", "error": "Task not found"}


def test_a_task_has_the_seven_keys_in_their_order() -> None:
    """A task must look as the contract shows it (contract.md "A task")."""
    with travel("2026-01-06T15:30:00.123456Z", tick=False):
        task = TaskFactory.create(title="Buy groceries", description="Milk", completed=True)
        response = ApiClient("alice").send("GET", f"/api/alice/tasks/{task.id}")

    assert json.loads(response.content, object_pairs_hook=list) == [
        ("id", task.id),
        ("user_id", "alice"),
        ("title", "Buy groceries"),
        ("description", "Milk"),
        ("completed", True),
        ("created_at", "2026-01-06T15:30:00.123456Z"),
        ("updated_at", "2026-01-06T15:30:00.123456Z"),
    ]


def test_a_whole_second_has_six_digits_too() -> None:
    """Times must always have six digits of fraction (contract.md "A task")."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        task = TaskFactory.create()
        shown = ApiClient("alice").send("GET", f"/api/alice/tasks/{task.id}").json()

    assert shown["created_at"] == shown["updated_at"] == "2026-01-06T15:30:00.000000Z"


def test_a_task_answers_as_json(alice: ApiClient) -> None:
    """The type of the answer must be that of its body."""
    task = TaskFactory.create()

    response = alice.send("GET", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


def test_a_deleted_task_is_gone(alice: ApiClient) -> None:
    """A task that was deleted must be missing like any other."""
    task = TaskFactory.create()
    alice.send("DELETE", f"/api/alice/tasks/{task.id}")

    assert alice.send("GET", f"/api/alice/tasks/{task.id}").status_code == 404


def test_reading_changes_nothing(alice: ApiClient) -> None:
    """A GET must be safe."""
    task = TaskFactory.create()
    before = rows()

    alice.send("GET", f"/api/alice/tasks/{task.id}")

    assert rows() == before
