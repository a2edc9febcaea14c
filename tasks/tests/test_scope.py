"""``get_queryset`` is the one source of what a caller can see."""

import pytest
from rest_framework.generics import GenericAPIView

from conftest import ApiClient
from tasks.models import Task, TaskQuerySet
from tasks.tests.endpoints import ON_ONE_TASK
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS, ids
from tasks.views import TaskViewSet

pytestmark = pytest.mark.django_db


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


def reach(client: ApiClient, **values: object) -> dict[str, object]:
    """Call each endpoint on a task of these values; tell those that reach it or change one."""
    reached = {}
    for endpoint in ON_ONE_TASK:
        task = TaskFactory.create(**values)
        before = rows()
        response = endpoint.send(client, "alice", task.id)
        if response.status_code != 404 or rows() != before:
            reached[repr(endpoint)] = response.status_code
    return reached


@pytest.mark.usefixtures("_only_open_tasks")
def test_the_list_follows_the_filter(alice: ApiClient) -> None:
    """The list must show what ``get_queryset`` keeps (FR-013)."""
    seen = TaskFactory.create(completed=False)
    TaskFactory.create(completed=True)

    assert ids(alice.send("GET", TASKS)) == [seen.id]


@pytest.mark.usefixtures("_only_open_tasks")
def test_only_a_task_inside_the_filter_is_there(alice: ApiClient) -> None:
    """What ``get_queryset`` keeps must be within reach, and nothing else (FR-013)."""
    assert reach(alice, completed=False) == {repr(row): row.owner for row in ON_ONE_TASK}
    assert reach(alice, completed=True) == {}


@pytest.mark.usefixtures("_forgotten_filter")
def test_a_forgotten_filter_reaches_nothing(alice: ApiClient) -> None:
    """The class attribute ``queryset`` must show and open no task (FR-013)."""
    assert reach(alice) == {}
    assert ids(alice.send("GET", TASKS)) == []


def test_an_empty_scope_is_asked_nothing() -> None:
    """A change where nothing can be must be no error (docs/contract.md, "A task")."""
    assert Task.objects.none().change(title="New") is None
    assert Task.objects.none().compile_delete().run() == []
