from typing import Any

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("completed", [False, True])
def test_complete_flips_completed(alice: ApiClient, completed: bool) -> None:
    """A flip must negate ``completed``, in the response and in the database."""
    task = TaskFactory.create(completed=completed)

    response = alice.send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert response.status_code == 200
    assert response.json()["completed"] is not completed
    assert Task.objects.get().completed is not completed


@pytest.mark.parametrize("body", [{"completed": False}, {"title": ""}, [], "not a task"], ids=str)
def test_a_body_is_ignored(alice: ApiClient, path: str, body: Any) -> None:
    """A flip must ignore the body."""
    response = alice.send("PATCH", f"{path}/complete", body)

    assert response.status_code == 200
    assert (response.json()["completed"], response.json()["title"]) == (True, "Old")
