import pytest

from conftest import ApiClient
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


def test_without_a_token_nothing_is_deleted(anybody: ApiClient) -> None:
    """A caller who does not say who they are must be asked to (FR-004)."""
    task = TaskFactory.create()
    before = rows()

    response = anybody.send("DELETE", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 401
    assert response.json()["detail"] == "Missing authorization token"
    assert rows() == before


def test_with_a_bad_token_nothing_is_deleted() -> None:
    """A token that nobody signed must open nothing (SC-003)."""
    task = TaskFactory.create()
    before = rows()

    response = ApiClient(token="not.a.token").send("DELETE", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid or malformed token"
    assert rows() == before


def test_on_another_users_path_nothing_is_deleted(bob: ApiClient) -> None:
    """Another user's path must be closed (FR-005)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("DELETE", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 403
    assert response.json()["detail"] == "Access forbidden: user_id mismatch"
    assert rows() == before


def test_another_users_task_looks_absent(bob: ApiClient) -> None:
    """Another user's task must look absent, and stay (FR-013, SC-002)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = bob.send("DELETE", f"/api/bob/tasks/{task.id}")

    assert response.status_code == 404
    assert response.json() == {"detail": "Task not found", "error": "Task not found"}
    assert rows() == before


def test_a_deleted_task_answers_with_nothing(alice: ApiClient) -> None:
    """A deletion must answer 204 and have no body, no type and no length (RFC 9110 §15.3.5)."""
    task = TaskFactory.create()

    response = alice.send("DELETE", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 204
    assert response.content == b""
    assert "Content-Length" not in response
    assert "Content-Type" not in response


def test_only_the_task_in_the_path_is_deleted(alice: ApiClient) -> None:
    """A deletion must take one task and leave every other, whoever has it."""
    task = TaskFactory.create()
    TaskFactory.create()
    TaskFactory.create(user_id="bob")
    others = [row for row in rows() if row[0] != task.id]

    alice.send("DELETE", f"/api/alice/tasks/{task.id}")

    assert rows() == others


def test_a_task_can_be_deleted_once(alice: ApiClient) -> None:
    """A task that was deleted must be missing like any other."""
    task = TaskFactory.create()
    alice.send("DELETE", f"/api/alice/tasks/{task.id}")

    response = alice.send("DELETE", f"/api/alice/tasks/{task.id}")

    assert response.status_code == 404
    assert response.json()["detail"] == "Task not found"


def test_an_id_is_never_given_again(alice: ApiClient) -> None:
    """An id must stay that of the task that had it, also when the newest was deleted (FR-009)."""
    task = TaskFactory.create()
    alice.send("DELETE", f"/api/alice/tasks/{task.id}")

    created = alice.send("POST", "/api/alice/tasks", {"title": "The next one"}).json()

    assert created["id"] > task.id
