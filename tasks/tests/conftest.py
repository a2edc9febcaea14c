from typing import TYPE_CHECKING

import pytest

from conftest import ApiClient

if TYPE_CHECKING:  # pytest may load this file before the settings are there
    from tasks.models import Task


@pytest.fixture(params=["POST", "PUT"])
def target(request: pytest.FixtureRequest, db: None) -> tuple[str, str]:
    """Name the method and the path of the two endpoints that read a body, one after the other."""
    from tasks.tests.factories import TaskFactory

    task = TaskFactory.create(user_id="alice")
    paths = {"POST": "/api/alice/tasks", "PUT": f"/api/alice/tasks/{task.id}"}
    return request.param, paths[request.param]


@pytest.fixture
def task(db: None) -> "Task":
    """Make a task of Alice's that is read and written."""
    from tasks.tests.factories import TaskFactory

    task: Task = TaskFactory.create(user_id="alice", title="Old", completed=False)
    return task


@pytest.fixture
def path(task: "Task") -> str:
    """Name its path."""
    return f"/api/alice/tasks/{task.id}"


@pytest.fixture
def tag(alice: ApiClient, path: str) -> str:
    """Read its version, as a client has seen it."""
    found: str = alice.send("GET", path)["ETag"]
    return found
