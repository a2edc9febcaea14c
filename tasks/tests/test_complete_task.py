import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("completed", [False, True])
def test_complete_flips_completed(alice: ApiClient, completed: bool) -> None:
    """A flip must negate ``completed``, in the response and in the database."""
    task = TaskFactory.create(completed=completed)

    response = alice.send("PATCH", f"/api/alice/tasks/{task.id}/complete")

    assert response.status_code == 200
    assert response.json()["completed"] is not completed
    assert Task.objects.get().completed is not completed


@pytest.mark.parametrize("before", [False, True], ids=["open", "done"])
@pytest.mark.parametrize("completed", [False, True])
def test_a_body_sets_completed(alice: ApiClient, before: bool, completed: bool) -> None:
    """A boolean ``completed`` must be set instead of flipped, also when it is sent twice."""
    task = TaskFactory.create(completed=before)
    body = {"completed": completed, "title": "New"}

    responses = [alice.send("PATCH", f"{TASKS}/{task.id}/complete", body) for _ in range(2)]

    assert [response.json()["completed"] for response in responses] == [completed, completed]
    stored = Task.objects.get()
    assert (stored.completed, stored.title) == (completed, task.title)
    times = [task.updated_at.isoformat(), *(each.json()["updated_at"] for each in responses)]
    assert times == sorted({*times})


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"completed": true, "title": "\\ud800"}', b' {"completed": false, "completed": true} '),
        b'{"completed": true, "big": 1e999}',
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", ""])
def test_a_body_of_any_content_type_sets_completed(
    alice: ApiClient, path: str, body: bytes, content_type: str
) -> None:
    """A page may send the object without its type, as ``fetch`` does by default."""
    for _ in range(2):
        response = alice.generic("PATCH", f"{path}/complete", body, content_type)
        assert (response.status_code, response.json()["completed"]) == (200, True)


@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b"[]", b'"not a task"', b"null", b"true", b"{", b"\xff", b'{"completed":'),
        *(b'{"completed": 0}', b'{"completed": "false"}', b'{"completed": null}', b"[" * 10_000),
        *(b'{"title": ""}', b'[{"completed": false}]', b'{"task": {"completed": false}}'),
        b'{"completed": false, "padding": "%s"}' % (b"x" * 70_000),
    ],
    ids=lambda body: str(body[:40]),
)
def test_any_other_body_is_ignored(alice: ApiClient, path: str, body: bytes) -> None:
    """A flip must ignore a body that does not set ``completed``."""
    response = alice.generic("PATCH", f"{path}/complete", body, "application/json")

    assert response.status_code == 200
    assert (response.json()["completed"], response.json()["title"]) == (True, "Old")


def test_a_body_cannot_set_another_users_task(bob: ApiClient, task: Task) -> None:
    """Another user's task must look absent and stay as it is (SC-002)."""
    before = rows()

    response = bob.send("PATCH", f"/api/bob/tasks/{task.id}/complete", {"completed": True})

    assert response.status_code == 404
    assert rows() == before
