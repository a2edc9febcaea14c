import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.link_walker import TASKS

pytestmark = pytest.mark.django_db


def test_delete_has_an_empty_response(alice: ApiClient, path: str) -> None:
    """A 204 must have no body, ``Content-Type`` or ``Content-Length`` (RFC 9110 §15.3.5)."""
    response = alice.send("DELETE", path)

    assert (response.status_code, response.content) == (204, b"")
    assert not {"Content-Length", "Content-Type"} & set(response.headers)


def test_the_id_of_a_deleted_task_is_not_reused(alice: ApiClient, task: Task, path: str) -> None:
    """A deleted task must be a 404, and a new task must get a new id (FR-009)."""
    alice.send("DELETE", path)

    responses = [alice.send(method, path) for method in ("DELETE", "GET")]
    created = alice.send("POST", TASKS, {"title": "The next one"}).json()

    assert [response.status_code for response in responses] == [404, 404]
    assert responses[0].json()["detail"] == "Task not found"
    assert created["id"] > task.id
