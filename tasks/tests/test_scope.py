"""``get_queryset`` is the one source of what a caller can see."""

from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.generics import GenericAPIView

from conftest import ApiClient
from tasks.models import Task, TaskQuerySet
from tasks.tests.factories import TaskFactory, rows
from tasks.views import TaskViewSet

pytestmark = pytest.mark.django_db

ON_ONE_TASK = [
    pytest.param("GET", "", None, id="retrieve"),
    pytest.param("PUT", "", {"title": "New"}, id="update"),
    pytest.param("DELETE", "", None, id="delete"),
    pytest.param("PATCH", "/complete", None, id="complete"),
]
on_one_task = pytest.mark.parametrize(("method", "suffix", "body"), ON_ONE_TASK)


@pytest.fixture
def _only_open_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow the filter, as somebody might who changes the rule."""

    def open_tasks(view: TaskViewSet) -> TaskQuerySet:
        return Task.objects.owned_by(view.kwargs["user_id"]).filter(completed=False)

    monkeypatch.setattr(TaskViewSet, "get_queryset", open_tasks)


@pytest.fixture
def _forgotten_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave ``get_queryset`` to DRF, which takes the class attribute."""
    monkeypatch.setattr(TaskViewSet, "get_queryset", GenericAPIView.get_queryset)


@pytest.mark.usefixtures("_only_open_tasks")
def test_the_list_follows_the_filter(alice: ApiClient) -> None:
    """The list must show what ``get_queryset`` lets through (FR-013)."""
    seen = TaskFactory.create(completed=False)
    TaskFactory.create(completed=True)

    assert [task["id"] for task in alice.send("GET", "/api/alice/tasks").json()] == [seen.id]


@on_one_task
@pytest.mark.usefixtures("_only_open_tasks")
def test_a_task_inside_the_filter_is_there(
    alice: ApiClient, method: str, suffix: str, body: Any
) -> None:
    """What ``get_queryset`` lets through must be within reach (FR-013)."""
    task = TaskFactory.create(completed=False)

    response = alice.send(method, f"/api/alice/tasks/{task.id}{suffix}", body)

    assert response.status_code in (200, 204)


@on_one_task
@pytest.mark.usefixtures("_only_open_tasks")
def test_a_task_outside_the_filter_is_missing(
    alice: ApiClient, method: str, suffix: str, body: Any
) -> None:
    """What ``get_queryset`` keeps back must be out of reach everywhere (FR-013)."""
    task = TaskFactory.create(completed=True)
    before = rows()

    response = alice.send(method, f"/api/alice/tasks/{task.id}{suffix}", body)

    assert response.status_code == 404
    assert response.json()["detail"] == "Task not found"
    assert rows() == before


@pytest.mark.usefixtures("_forgotten_filter")
def test_a_forgotten_filter_lists_nothing(alice: ApiClient) -> None:
    """The class attribute ``queryset`` must show nothing (FR-013)."""
    TaskFactory.create()

    assert alice.send("GET", "/api/alice/tasks").json() == []


@on_one_task
@pytest.mark.usefixtures("_forgotten_filter")
def test_a_forgotten_filter_reaches_nothing(
    alice: ApiClient, method: str, suffix: str, body: Any
) -> None:
    """The class attribute ``queryset`` must open no task (FR-013)."""
    task = TaskFactory.create()
    before = rows()

    response = alice.send(method, f"/api/alice/tasks/{task.id}{suffix}", body)

    assert response.status_code == 404
    assert rows() == before


def test_many_users_tasks_never_mix() -> None:
    """Every user must see their own tasks and nobody else's (SC-002)."""
    users = ["alice", "bob", "Alice", "alice ", "a", "%", "_lice"]
    owned = {
        user: [task.id for task in TaskFactory.create_batch(3, user_id=user)] for user in users
    }

    seen = {
        user: [
            task["id"] for task in ApiClient(user).send("GET", f"/api/{quote(user)}/tasks").json()
        ]
        for user in users
    }

    assert seen == owned


def test_an_empty_scope_is_asked_nothing() -> None:
    """A change where nothing can be must be no error (contract.md "A task")."""
    assert Task.objects.none().change(title="New") is None
    assert Task.objects.none().remove() is False
