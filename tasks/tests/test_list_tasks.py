import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, ids

pytestmark = pytest.mark.django_db


def test_another_users_tasks_are_not_in_the_list(alice: ApiClient) -> None:
    """Another user's tasks must look absent (FR-013, SC-002)."""
    own = TaskFactory.create(user_id="alice")
    TaskFactory.create(user_id="bob", title="bob's secret")

    response = alice.send("GET", TASKS)

    assert ids(response) == [own.id]
    assert b"bob's secret" not in response.content


def test_a_user_without_tasks_gets_an_empty_array(alice: ApiClient) -> None:
    """A user without tasks must get an empty array."""
    response = alice.send("GET", TASKS)

    assert (response.status_code, response.content) == (200, b"[]")


def test_the_list_has_all_tasks_oldest_first(alice: ApiClient) -> None:
    """The list must be complete and sorted by id, even after updates."""
    first, *others = TaskFactory.create_batch(150)
    Task.objects.filter(pk=first.id).change(title="changed last")

    assert ids(alice.send("GET", TASKS)) == [first.id, *(task.id for task in others)]


def test_a_created_task_is_in_the_list_at_once(alice: ApiClient) -> None:
    """A created task must be in the list at once (SC-001)."""
    created = alice.send("POST", TASKS, {"title": "Buy milk"}).json()

    assert alice.send("GET", TASKS).json() == [created]
