"""HEAD wherever there is GET, and a 405 wherever there is nothing."""

import pytest

from conftest import ApiClient
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

LIST = "/api/{user}/tasks"
TASK = "/api/{user}/tasks/{task}"
FLIP = "/api/{user}/tasks/{task}/complete"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
ALLOWED = {
    LIST: {"GET", "HEAD", "POST"},
    TASK: {"GET", "HEAD", "PUT", "DELETE"},
    FLIP: {"PATCH"},
}
WRONG = [(path, method) for path in ALLOWED for method in METHODS if method not in ALLOWED[path]]
NOT_ALLOWED = b'{"detail":"Method Not Allowed","error":"Method Not Allowed"}'

slash = pytest.mark.parametrize("slash", ["", "/"], ids=["", "slash"])


@slash
@pytest.mark.parametrize("path", [LIST, TASK])
@pytest.mark.parametrize(
    ("user", "status"), [("anybody", 401), ("bob", 403), ("alice", 200)], ids=lambda value: value
)
def test_head_answers_as_get_does_without_the_body(
    path: str, user: str, status: int, slash: str, request: pytest.FixtureRequest
) -> None:
    """HEAD must work wherever GET does, and have the same headers (RFC 9110 §9.3.2)."""
    client: ApiClient = request.getfixturevalue(user)
    task = TaskFactory.create(user_id="alice")
    path = path.format(user="alice", task=task.id) + slash
    got, head = (client.send(method, path) for method in ("GET", "HEAD"))

    assert (head.status_code, head.content) == (status, b"")
    assert {**head.headers, "X-Request-ID": ""} == {**got.headers, "X-Request-ID": ""}


def test_head_on_another_users_task_is_a_404(bob: ApiClient) -> None:
    """Another user's task must look absent to HEAD as well (SC-002)."""
    task = TaskFactory.create(user_id="alice")

    assert bob.send("HEAD", f"/api/bob/tasks/{task.id}").status_code == 404


@slash
@pytest.mark.parametrize(("path", "method"), WRONG)
def test_a_wrong_method_is_refused(alice: ApiClient, path: str, method: str, slash: str) -> None:
    """Other methods, OPTIONS included, must be a 405 that says which are right."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = alice.generic(method, path.format(user="alice", task=task.id) + slash)

    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) == ALLOWED[path]
    assert response.content in (b"", NOT_ALLOWED)  # none in an answer to HEAD
    assert response["Cache-Control"] == "no-store"
    assert rows() == before


@pytest.mark.parametrize(("path", "method"), WRONG)
@pytest.mark.parametrize(("user", "status"), [("anybody", 401), ("bob", 403)])
def test_a_wrong_method_is_found_after_a_wrong_caller(
    path: str, method: str, user: str, status: int, request: pytest.FixtureRequest
) -> None:
    """401 and 403 must come before 405 (contract.md "Who may come in")."""
    client: ApiClient = request.getfixturevalue(user)
    task = TaskFactory.create(user_id="alice")
    before = rows()

    response = client.generic(method, path.format(user="alice", task=task.id))

    assert response.status_code == status
    assert "Allow" not in response
    assert rows() == before
