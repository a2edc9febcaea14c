import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.link_walker import TASKS

pytestmark = pytest.mark.django_db


def test_a_deleted_task_answers_with_nothing(alice: ApiClient, path: str) -> None:
    """A deletion must answer 204 and have no body, no type and no length (RFC 9110 §15.3.5)."""
    response = alice.send("DELETE", path)

    assert (response.status_code, response.content) == (204, b"")
    assert not {"Content-Length", "Content-Type"} & set(response.headers)


def test_a_deleted_task_is_missing_and_its_id_is_never_given_again(
    alice: ApiClient, task: Task, path: str
) -> None:
    """It must be missing like any other, and the newest one's id not come back (FR-009)."""
    alice.send("DELETE", path)

    answers = [alice.send(method, path) for method in ("DELETE", "GET")]
    created = alice.send("POST", TASKS, {"title": "The next one"}).json()

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json()["detail"] == "Task not found"
    assert created["id"] > task.id
