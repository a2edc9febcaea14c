from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

writes = pytest.mark.parametrize(
    ("method", "suffix"),
    [("PUT", ""), ("PATCH", ""), ("PATCH", "/complete")],
    ids=["update", "patch", "flip"],
)
# PATCH on a task has the rules of PUT.
updates = pytest.mark.parametrize("method", ["PUT", "PATCH"])


@updates
def test_a_missing_task_is_not_created(alice: ApiClient, method: str) -> None:
    """An update must never create a task."""
    response = alice.send(method, "/api/alice/tasks/5", {"title": "New"})

    assert response.status_code == 404
    assert rows() == []


@updates
def test_the_body_is_checked_before_the_task(bob: ApiClient, method: str) -> None:
    """422 must precede 404 (docs/contract.md, "Authentication")."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send(method, f"/api/bob/tasks/{task.id}", {"title": ""})

    assert response.status_code == 422
    assert rows() == before


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
@updates
def test_only_given_fields_change(
    alice: ApiClient, method: str, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    """Absent fields must stay unchanged; ``null`` must clear only a description (FR-011)."""
    task = TaskFactory.create(**OLD)

    updated = alice.send(method, f"{TASKS}/{task.id}", body).json()

    assert {name: updated[name] for name in OLD} == OLD | changed
    assert alice.send("GET", f"{TASKS}/{task.id}").json() == updated
    assert Task.objects.get().updated_at > task.updated_at


@updates
def test_a_whole_task_can_be_sent_back(alice: ApiClient, path: str, method: str) -> None:
    """The front end must be able to send all fields (docs/contract.md, "A task")."""
    whole = alice.send("GET", path).json()

    updated = alice.send(method, path, whole | {"title": "Oat"}).json()

    assert updated == whole | {"title": "Oat", "updated_at": updated["updated_at"]}


@updates
def test_read_only_fields_are_ignored(alice: ApiClient, path: str, method: str) -> None:
    """Read-only fields must be neither stored nor refused (docs/contract.md, "A task")."""
    bodies: list[dict[str, Any]] = [
        {"id": 1},
        {"user_id": "bob"},
        {"created_at": "2000-01-01T00:00:00.000000Z"},
        {"updated_at": "2099-01-01T00:00:00.000000Z"},
        {"id": None, "user_id": "\0", "created_at": [], "updated_at": False},
        {"priority": "high", "": {}, "__class__": 1},
    ]
    whole = alice.send("GET", path).json() | {"updated_at": None}

    def outcome(body: dict[str, Any]) -> Any:
        response = alice.send(method, path, body)
        shown = response.json()
        return response.status_code, shown | {"updated_at": None}, shown["updated_at"] < "2099"

    assert wrong_rows(bodies, outcome, (200, whole, True)) == []


@pytest.mark.parametrize(
    "now",
    [
        pytest.param("2026-01-06T15:30:00Z", id="clock frozen"),
        pytest.param("2025-12-24T00:00:00Z", id="clock set back"),
    ],
)
@writes
def test_updated_at_moves_forward_with_any_clock(method: str, suffix: str, now: str) -> None:
    """Each write must set a later ``updated_at`` (docs/contract.md, "A task")."""
    with travel("2026-01-06T15:30:00Z", tick=False):
        task = TaskFactory.create()
    with travel(now, tick=False):
        alice = ApiClient("alice")
        responses = [alice.send(method, f"{TASKS}/{task.id}{suffix}", {}) for _ in range(2)]

    assert [response.json()["updated_at"] for response in responses] == [
        "2026-01-06T15:30:00.000001Z",
        "2026-01-06T15:30:00.000002Z",
    ]
    assert Task.objects.get().created_at == task.created_at


@writes
def test_nothing_follows_the_last_time(method: str, suffix: str) -> None:
    """At the last time that can be shown, ``updated_at`` must restart at the present."""
    end = datetime.max.replace(tzinfo=UTC)
    task = TaskFactory.create(created_at=end, updated_at=end - timedelta(microseconds=1))
    with travel("2026-01-06T15:30:00Z", tick=False):
        alice = ApiClient("alice")
        sent = [alice.send(method, f"{TASKS}/{task.id}{suffix}", {"title": "A"}) for _ in range(3)]

    assert [response.json()["updated_at"] for response in sent] == [
        "9999-12-31T23:59:59.999999Z",
        "2026-01-06T15:30:00.000000Z",
        "2026-01-06T15:30:00.000001Z",
    ]
    assert Task.objects.get().updated_at == datetime(2026, 1, 6, 15, 30, 0, 1, UTC)
