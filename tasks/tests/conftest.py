from typing import TYPE_CHECKING

import pytest

from conftest import ApiClient

if TYPE_CHECKING:  # pytest may import this file before Django's settings are configured
    from tasks.models import Task


@pytest.fixture(params=["POST", "PUT"])
def target(request: pytest.FixtureRequest, db: None) -> tuple[str, str]:
    """Return the method and path of an endpoint that reads a body, for POST and for PUT."""
    from tasks.tests.factories import TaskFactory

    task = TaskFactory.create(user_id="alice")
    paths = {"POST": "/api/alice/tasks", "PUT": f"/api/alice/tasks/{task.id}"}
    return request.param, paths[request.param]


@pytest.fixture
def task(db: None) -> "Task":
    """Create a task for Alice."""
    from tasks.tests.factories import TaskFactory

    task: Task = TaskFactory.create(user_id="alice", title="Old", completed=False)
    return task


@pytest.fixture
def path(task: "Task") -> str:
    """Return the path of Alice's task."""
    return f"/api/alice/tasks/{task.id}"


@pytest.fixture
def tag(alice: ApiClient, path: str) -> str:
    """Return the current entity tag of Alice's task."""
    found: str = alice.send("GET", path)["ETag"]
    return found
