"""``get_queryset`` alone decides which tasks a caller can reach."""

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
    """Narrow ``get_queryset``, as a change to the access rule would."""

    def open_tasks(view: TaskViewSet) -> TaskQuerySet:
        return Task.objects.owned_by(view.kwargs["user_id"]).filter(completed=False)

    monkeypatch.setattr(TaskViewSet, "get_queryset", open_tasks)


@pytest.fixture
def _missing_override(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the override, so that DRF uses the class attribute."""
    monkeypatch.setattr(TaskViewSet, "get_queryset", GenericAPIView.get_queryset)


def reach(client: ApiClient, **values: object) -> dict[str, object]:
    """Call each endpoint on a new task; return the statuses of those that reach or change it."""
    reached = {}
    for endpoint in ON_ONE_TASK:
        task = TaskFactory.create(**values)
        before = rows()
        response = endpoint.send(client, "alice", task.id)
        if response.status_code != 404 or rows() != before:
            reached[repr(endpoint)] = response.status_code
    return reached


@pytest.mark.usefixtures("_only_open_tasks")
def test_the_list_follows_get_queryset(alice: ApiClient) -> None:
    """The list must show exactly what ``get_queryset`` returns (FR-013)."""
    seen = TaskFactory.create(completed=False)
    TaskFactory.create(completed=True)

    assert ids(alice.send("GET", TASKS)) == [seen.id]


@pytest.mark.usefixtures("_only_open_tasks")
def test_endpoints_follow_get_queryset(alice: ApiClient) -> None:
    """Only tasks that ``get_queryset`` returns may be reachable (FR-013)."""
    assert reach(alice, completed=False) == {repr(row): row.owner for row in ON_ONE_TASK}
    assert reach(alice, completed=True) == {}


@pytest.mark.usefixtures("_missing_override")
def test_without_get_queryset_nothing_is_reachable(alice: ApiClient) -> None:
    """The class attribute ``queryset`` must be empty (FR-013)."""
    assert reach(alice) == {}
    assert ids(alice.send("GET", TASKS)) == []


def test_writes_to_an_empty_queryset_do_nothing() -> None:
    """A write to an empty queryset must not be an error."""
    assert Task.objects.none().change(title="New") is None
    assert Task.objects.none().compile_delete().run() == []
