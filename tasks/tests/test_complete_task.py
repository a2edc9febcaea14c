import json

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


def test_without_a_token_nothing_is_flipped(anybody: ApiClient) -> None:
    """A caller who does not say who they are must be asked to (FR-004)."""
    task = TaskFactory.create()
    before = rows()

    response = anybody.send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert response.status_code == 401
    assert response.json()["detail"] == "Missing authorization token"
    assert rows() == before


def test_with_a_bad_token_nothing_is_flipped() -> None:
    """A token that nobody signed must open nothing (SC-003)."""
    task = TaskFactory.create()
    before = rows()

    response = ApiClient(token="not.a.token").send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid or malformed token"
    assert rows() == before


def test_on_another_users_path_nothing_is_flipped(bob: ApiClient) -> None:
    """Another user's path must be closed (FR-005)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert response.status_code == 403
    assert response.json()["detail"] == "Access forbidden: user_id mismatch"
    assert rows() == before


def test_another_users_task_looks_absent(bob: ApiClient) -> None:
    """Another user's task must look absent, and stay as it is (FR-013, SC-002)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("PATCH", f"/api/bob/tasks/{task.id}/complete")

    assert response.status_code == 404
    assert response.json() == {"detail": "Task not found", "error": "Task not found"}
    assert rows() == before


@pytest.mark.parametrize("completed", [False, True])
def test_a_flip_turns_the_mark_around(alice: ApiClient, completed: bool) -> None:
    """Done must become open and open done (contract.md "Six endpoints and a health check")."""
    task = TaskFactory.create(completed=completed)

    response = alice.send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert response.status_code == 200
    assert response.json()["completed"] is not completed
    assert Task.objects.get().completed is not completed


def test_a_flip_answers_with_the_whole_task() -> None:
    """The answer must be the task as it is now, its seven keys in their order."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        task = TaskFactory.create(title="Buy milk", description="", completed=False)
    with travel("2026-01-06T16:00:00.5Z", tick=False):
        response = ApiClient("alice").send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert json.loads(response.content, object_pairs_hook=list) == [
        ("id", task.id),
        ("user_id", "alice"),
        ("title", "Buy milk"),
        ("description", ""),
        ("completed", True),
        ("created_at", "2026-01-06T15:30:00.000000Z"),
        ("updated_at", "2026-01-06T16:00:00.500000Z"),
    ]


def test_only_the_task_in_the_path_is_flipped(alice: ApiClient) -> None:
    """A flip must leave every other task as it is, whoever has it."""
    task = TaskFactory.create()
    TaskFactory.create()
    TaskFactory.create(user_id="bob")
    others = [row for row in rows() if row[0] != task.id]

    alice.send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert [row for row in rows() if row[0] != task.id] == others


@pytest.mark.parametrize("body", [{"completed": False}, {"title": ""}, [], "not a task"])
def test_a_body_is_ignored(alice: ApiClient, body: object) -> None:
    """A flip must need no body and look at none (contract.md "Six endpoints …")."""
    task = TaskFactory.create(title="Buy milk", completed=False)

    response = alice.send("PATCH", f"/api/alice/tasks/{task.id}/complete", body)

    assert response.status_code == 200
    assert response.json()["completed"] is True
    assert response.json()["title"] == "Buy milk"


@pytest.mark.parametrize(
    "now",
    [
        pytest.param("2026-01-06T15:30:00Z", id="clock frozen"),
        pytest.param("2025-12-24T00:00:00Z", id="clock set back"),
    ],
)
def test_updated_at_moves_forward_whatever_the_clock_says(now: str) -> None:
    """Each flip must be later than the one before it (contract.md "A task")."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        task = TaskFactory.create()
    with travel(now, tick=False):
        alice = ApiClient("alice")
        flips = [alice.send("PATCH", f"/api/alice/tasks/{task.id}/complete") for _ in range(2)]

    assert [flip.json()["updated_at"] for flip in flips] == [
        "2026-01-06T15:30:00.000001Z",
        "2026-01-06T15:30:00.000002Z",
    ]
    assert Task.objects.get().created_at == task.created_at
