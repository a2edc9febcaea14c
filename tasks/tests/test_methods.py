"""``HEAD``, and 405 for other methods."""

from itertools import product
from typing import Any

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.endpoints import FLIP, LIST, TASK
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
ALLOWED = {
    LIST: {"GET", "HEAD", "POST"},
    TASK: {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    FLIP: {"PATCH"},
}
WRONG = {path: sorted(set(METHODS) - allowed) for path, allowed in ALLOWED.items()}
NOT_ALLOWED = b'{"detail":"Method Not Allowed","error":"Method Not Allowed"}'


@pytest.mark.parametrize(
    ("user", "statuses"), [("anonymous", {401}), ("bob", {403}), ("alice", {200, 422})]
)
def test_head_is_get_without_the_body(
    task: Task, user: str, statuses: set[int], request: pytest.FixtureRequest
) -> None:
    """HEAD must have the same status and headers as GET (RFC 9110 §9.3.2)."""
    client: ApiClient = request.getfixturevalue(user)
    TaskFactory.create()
    seen: set[int] = set()

    def outcome(path: str) -> Any:
        url = path.format(user="alice", task=task.id)
        got, head = (client.send(method, url) for method in ("GET", "HEAD"))
        headers_match = {**head.headers, "X-Request-ID": ""} == {**got.headers, "X-Request-ID": ""}
        seen.add(got.status_code)
        return head.status_code == got.status_code, head.content, headers_match

    paths = [LIST, f"{LIST}/", f"{LIST}?limit=1", f"{LIST}?limit=x", TASK, f"{TASK}/"]
    assert wrong_rows(paths, outcome, (True, b"", True)) == []
    assert seen == statuses


def test_reading_changes_nothing(alice: ApiClient, path: str) -> None:
    """GET and HEAD must be safe (RFC 9110 §9.2.1)."""
    TaskFactory.create()
    before = rows()
    urls = [path, "/api/alice/tasks", "/api/alice/tasks?limit=1&search=o"]

    statuses = {alice.send(*call).status_code for call in product(["GET", "HEAD"], urls)}

    assert (statuses, rows()) == ({200}, before)


def test_head_on_another_users_task_is_a_404(bob: ApiClient, task: Task) -> None:
    """Another user's task must look absent to HEAD (SC-002)."""
    assert bob.send("HEAD", f"/api/bob/tasks/{task.id}").status_code == 404


@pytest.mark.parametrize("path", WRONG, ids=["list", "task", "flip"])
def test_a_wrong_method_is_refused(alice: ApiClient, task: Task, path: str) -> None:
    """Any other method, including OPTIONS, must be a 405 with ``Allow``."""
    url, before = path.format(user="alice", task=task.id), rows()

    def outcome(call: tuple[str, str]) -> Any:
        method, slash = call
        response = alice.generic(method, url + slash)
        allowed = set(response.headers.get("Allow", "").split(", "))
        is_plain = response.content in (b"", NOT_ALLOWED)  # a response to HEAD has no body
        return response.status_code, allowed, is_plain, response["Cache-Control"], rows()

    expected = (405, ALLOWED[path], True, "no-store", before)
    assert wrong_rows(product(WRONG[path], ["", "/"]), outcome, expected) == []


@pytest.mark.parametrize(("user", "status"), [("anonymous", 401), ("bob", 403)])
def test_the_caller_is_checked_before_the_method(
    task: Task, user: str, status: int, request: pytest.FixtureRequest
) -> None:
    """401 and 403 must precede 405 (docs/contract.md, "Authentication")."""
    client: ApiClient = request.getfixturevalue(user)
    before = rows()

    def outcome(call: tuple[str, str]) -> Any:
        path, method = call
        response = client.generic(method, path.format(user="alice", task=task.id))
        return response.status_code, "Allow" in response, rows()

    wrong = [(path, method) for path, methods in WRONG.items() for method in methods]
    assert wrong_rows(wrong, outcome, (status, False, before)) == []
