import json
from datetime import UTC, datetime
from typing import Any

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


def test_without_a_token_nothing_is_changed(anybody: ApiClient) -> None:
    """A caller who does not say who they are must be asked to (FR-004)."""
    task = TaskFactory.create()
    before = rows()

    response = anybody.send("PUT", f"/api/alice/tasks/{task.id}", {"title": "Taken"})

    assert response.status_code == 401
    assert response.json()["detail"] == "Missing authorization token"
    assert rows() == before


def test_with_a_bad_token_nothing_is_changed() -> None:
    """A token that nobody signed must open nothing (SC-003)."""
    task = TaskFactory.create()
    before = rows()

    response = ApiClient(token="not.a.token").send(
        "PUT", f"/api/alice/tasks/{task.id}", {"title": "Taken"}
    )

    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid or malformed token"
    assert rows() == before


def test_on_another_users_path_nothing_is_changed(bob: ApiClient) -> None:
    """Another user's path must be closed (FR-005)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("PUT", f"/api/alice/tasks/{task.id}", {"title": "Taken"})

    assert response.status_code == 403
    assert response.json()["detail"] == "Access forbidden: user_id mismatch"
    assert rows() == before


def test_another_users_task_looks_absent(bob: ApiClient) -> None:
    """Another user's task must look absent, and stay as it is (FR-013, SC-002)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("PUT", f"/api/bob/tasks/{task.id}", {"title": "Taken"})

    assert response.status_code == 404
    assert response.json() == {"detail": "Task not found", "error": "Task not found"}
    assert rows() == before


def test_a_missing_task_is_not_created(alice: ApiClient) -> None:
    """A PUT must change tasks and never make one."""
    response = alice.send("PUT", "/api/alice/tasks/5", {"title": "New"})

    assert response.status_code == 404
    assert rows() == []


def test_the_body_is_checked_before_the_task_is_looked_for(bob: ApiClient) -> None:
    """422 must come before 404 (contract.md "Who may come in")."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("PUT", f"/api/bob/tasks/{task.id}", {"title": ""})

    assert response.status_code == 422
    assert rows() == before


def test_an_update_answers_with_the_whole_task() -> None:
    """The answer must be the task as it is now, its seven keys in their order."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        task = TaskFactory.create(title="Buy milk", description=None, completed=False)
    with travel("2026-01-06T16:00:00.5Z", tick=False):
        response = ApiClient("alice").send(
            "PUT",
            f"/api/alice/tasks/{task.id}",
            {"completed": True, "description": "Two litres", "title": "Buy oat milk"},
        )

    assert response.status_code == 200
    assert json.loads(response.content, object_pairs_hook=list) == [
        ("id", task.id),
        ("user_id", "alice"),
        ("title", "Buy oat milk"),
        ("description", "Two litres"),
        ("completed", True),
        ("created_at", "2026-01-06T15:30:00.000000Z"),
        ("updated_at", "2026-01-06T16:00:00.500000Z"),
    ]


OLD = {"title": "Old", "description": "Old text", "completed": True}


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({}, {}),
        ({"title": "New"}, {"title": "New"}),
        ({"title": None}, {}),
        ({"description": "New"}, {"description": "New"}),
        ({"description": ""}, {"description": ""}),
        ({"description": None}, {"description": None}),
        ({"completed": False}, {"completed": False}),
        ({"completed": True}, {}),
        ({"completed": None}, {}),
        ({"title": None, "description": None, "completed": None}, {"description": None}),
    ],
    ids=str,
)
def test_only_what_is_sent_is_changed(
    alice: ApiClient, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    """Absent fields must stay; null must clear a description and leave the rest (FR-011)."""
    task = TaskFactory.create(**OLD)

    updated = alice.send("PUT", f"/api/alice/tasks/{task.id}", body).json()

    assert {name: updated[name] for name in OLD} == OLD | changed
    assert alice.send("GET", f"/api/alice/tasks/{task.id}").json() == updated
    assert Task.objects.get().updated_at > task.updated_at


def test_only_the_task_in_the_path_is_changed(alice: ApiClient) -> None:
    """An update must leave every other task as it is, whoever has it."""
    task = TaskFactory.create()
    TaskFactory.create()
    TaskFactory.create(user_id="bob")
    others = [row for row in rows() if row[0] != task.id]

    alice.send("PUT", f"/api/alice/tasks/{task.id}", {"title": "New", "completed": True})

    assert [row for row in rows() if row[0] != task.id] == others


def test_a_whole_task_can_be_sent_back(alice: ApiClient) -> None:
    """The front end's habit must work: every field, changed in one (contract.md "A task")."""
    task = TaskFactory.create(title="Buy milk")
    whole = alice.send("GET", f"/api/alice/tasks/{task.id}").json()

    updated = alice.send("PUT", f"/api/alice/tasks/{task.id}", whole | {"title": "Oat"}).json()

    assert updated == whole | {"title": "Oat", "updated_at": updated["updated_at"]}


@pytest.mark.parametrize(
    "ignored",
    [
        {"id": 1},
        {"user_id": "bob"},
        {"created_at": "2000-01-01T00:00:00.000000Z"},
        {"updated_at": "2099-01-01T00:00:00.000000Z"},
        {"id": None, "user_id": "\0", "created_at": [], "updated_at": False},
        {"priority": "high", "": {}, "__class__": 1},
    ],
    ids=ascii,
)
def test_fields_that_a_client_may_not_set_are_ignored(
    alice: ApiClient, ignored: dict[str, Any]
) -> None:
    """What is ignored must be neither stored nor refused (contract.md "A task")."""
    task = TaskFactory.create()
    whole = alice.send("GET", f"/api/alice/tasks/{task.id}").json()

    response = alice.send("PUT", f"/api/alice/tasks/{task.id}", ignored)

    assert response.status_code == 200
    assert response.json() | {"updated_at": None} == whole | {"updated_at": None}
    assert response.json()["updated_at"] < "2099"


@pytest.mark.parametrize(
    "now",
    [
        pytest.param("2026-01-06T15:30:00Z", id="clock frozen"),
        pytest.param("2025-12-24T00:00:00Z", id="clock set back"),
    ],
)
def test_updated_at_moves_forward_whatever_the_clock_says(now: str) -> None:
    """Each update must be later than the one before it (contract.md "A task")."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        task = TaskFactory.create()
    with travel(now, tick=False):
        alice = ApiClient("alice")
        updates = [alice.send("PUT", f"/api/alice/tasks/{task.id}", {}) for _ in range(2)]

    assert [update.json()["updated_at"] for update in updates] == [
        "2026-01-06T15:30:00.000001Z",
        "2026-01-06T15:30:00.000002Z",
    ]
    assert Task.objects.get().created_at == task.created_at


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_task_of_the_last_moment_stays_readable(alice: ApiClient, method: str) -> None:
    """Nothing may move a time beyond what can be read back (contract.md "A task")."""
    end = datetime.max.replace(tzinfo=UTC)
    task = TaskFactory.create(created_at=end, updated_at=end)
    path = f"/api/alice/tasks/{task.id}" + ("/complete" if method == "PATCH" else "")

    written = alice.send(method, path, {"title": "Late"})

    assert written.json()["updated_at"] == "9999-12-31T23:59:59.999999Z"
    assert alice.send("GET", "/api/alice/tasks").json() == [written.json()]
