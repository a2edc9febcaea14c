from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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
def old_database(
    django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Point this process at an empty database of its own, and give its URL."""
    from django.db import connections

    from todo_project.tests.live_server import fresh_database

    with fresh_database(tmp_path) as url, django_db_blocker.unblock():
        connection = connections["default"]
        # Put aside and not closed: an SQLite in memory would be gone.
        monkeypatch.setattr(connection, "connection", None)
        monkeypatch.setitem(connection.settings_dict, "NAME", urlsplit(url).path[1:])
        yield url
        connection.close()


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
