"""``If-Match`` (docs/contract.md, "Extensions", versions; RFC 9110 §13.1.1)."""

from itertools import product
from typing import Any

import pytest
from django.db import connection

from conftest import ApiClient
from tasks.models import Task, TaskQuerySet, TaskRow
from tasks.tests.endpoints import WRITES, Endpoint
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

OTHER = '"0123456789abcdef0123456789abcdef"'
CHANGED = {"detail": "Task has changed", "error": "Task has changed"}

every_write = pytest.mark.parametrize("write", WRITES, ids=["update", "patch", "delete", "flip"])


@every_write
def test_a_matching_write_succeeds(alice: ApiClient, write: Endpoint) -> None:
    """A match must not change the effect of a write (RFC 9110 §13.1.1)."""
    headers = ["{tag}", "*", f"{OTHER}, {{tag}}", '{tag} ,"x"', " {tag} "]

    def outcome(header: str) -> Any:
        task = TaskFactory.create()
        path = f"{TASKS}/{task.id}"
        tag = alice.send("GET", path)["ETag"]
        written = write.send(alice, "alice", task.id, **{"If-Match": header.format(tag=tag)})
        after = alice.send("GET", path)
        is_new = after.headers.get("ETag") == written.headers.get("ETag")
        return written.status_code, after.status_code, is_new

    gone = write.method == "DELETE"
    assert wrong_rows(headers, outcome, (write.owner, 404 if gone else 200, True)) == []


@every_write
def test_a_write_to_another_version_is_refused(
    alice: ApiClient, task: Task, tag: str, write: Endpoint
) -> None:
    """A weak or malformed tag, or one of another version, must be a 412 that changes nothing."""
    headers = [OTHER, f"W/{tag}", f"W/{tag}, {OTHER}", "", ",", tag.strip('"'), '"', f"{tag}x"]
    headers += ['"*"', '"*", *', "\xff"]
    before = rows()

    def outcome(header: str) -> Any:
        response = write.send(alice, "alice", task.id, **{"If-Match": header})
        return response.status_code, response.json(), response["Cache-Control"], rows()

    assert wrong_rows(headers, outcome, (412, CHANGED, "no-store", before)) == []


@every_write
def test_a_write_after_a_change_in_sql_is_refused(
    alice: ApiClient, task: Task, path: str, write: Endpoint
) -> None:
    """A write after a change by another program must be a 412."""
    changes = ["title = 'other'", "description = 'other'", "completed = NOT completed"]
    changes += ["updated_at = created_at"]
    alice.send("PUT", path, {"description": None})

    def outcome(change: str) -> Any:
        seen = alice.send("GET", path)["ETag"]
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE task SET {change} WHERE id = %s", [task.id])  # noqa: S608
        before = rows()
        response = write.send(alice, "alice", task.id, **{"If-Match": seen})
        return response.status_code, rows() == before

    assert wrong_rows(changes, outcome, (412, True)) == []


def test_a_repeated_flip_does_not_flip_back(alice: ApiClient, path: str, tag: str) -> None:
    """A client that lost the response must be able to retry safely."""
    first, second = (alice.send("PATCH", f"{path}/complete", **{"If-Match": tag}) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 412)
    assert Task.objects.get().completed is True


@every_write
def test_a_missing_task_is_a_404(bob: ApiClient, task: Task, tag: str, write: Endpoint) -> None:
    """A missing task must be a 404: a 412 would reveal another user's task (SC-002, FR-013)."""
    headers = ["*", OTHER, f"W/{OTHER}", "nonsense", "", tag]
    before = rows()

    def outcome(call: tuple[Any, str]) -> Any:
        name, header = call
        response = write.send(bob, "bob", name, **{"If-Match": header})
        return response.status_code, response.json()["detail"], rows()

    calls = product([task.id, task.id + 1, "abc"], headers)
    assert wrong_rows(calls, outcome, (404, "Task not found", before)) == []


def test_the_body_is_checked_before_the_version(alice: ApiClient, path: str) -> None:
    """400, 413 and 422 must precede 412 (docs/contract.md, "Authentication")."""
    bodies: list[Any] = [{"title": ""}, [], "{", "x" * 65_537]
    before = rows()

    responses = [alice.send("PUT", path, body, **{"If-Match": OTHER}) for body in bodies]

    assert [response.status_code for response in responses] == [422, 422, 400, 413]
    assert rows() == before


@pytest.mark.parametrize(("user", "refusal"), [("anonymous", 401), ("bob", 403)])
def test_the_caller_is_checked_before_the_version(
    request: pytest.FixtureRequest, task: Task, user: str, refusal: int
) -> None:
    """401 and 403 must precede 412 (docs/contract.md, "Authentication")."""
    client: ApiClient = request.getfixturevalue(user)
    before = rows()

    def outcome(write: Endpoint) -> Any:
        response = write.send(client, "alice", task.id, **{"If-Match": OTHER})
        return response.status_code, rows()

    assert wrong_rows(WRITES, outcome, (refusal, before)) == []


def test_reads_and_creates_ignore_if_match(alice: ApiClient) -> None:
    """``If-Match`` must not affect a GET or POST."""
    assert alice.send("GET", TASKS, **{"If-Match": OTHER}).status_code == 200
    assert alice.send("POST", TASKS, {"title": "New"}, **{"If-Match": OTHER}).status_code == 201


@every_write
@pytest.mark.parametrize(
    ("change", "status", "left"),
    [
        pytest.param("UPDATE task SET title = 'theirs'", 412, ["theirs"], id="change"),
        pytest.param("DELETE FROM task", 404, [], id="deletion"),
    ],
)
def test_a_change_between_read_and_write_is_detected(
    alice: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    task: Task,
    tag: str,
    write: Endpoint,
    change: str,
    status: int,
    left: list[str],
) -> None:
    """The write itself must compare the version, because two tabs may write at once."""
    unchanged_since = TaskQuerySet.unchanged_since

    def change_first(tasks: TaskQuerySet, task: TaskRow) -> TaskQuerySet:
        with connection.cursor() as cursor:
            cursor.execute(change)
        return unchanged_since(tasks, task)

    monkeypatch.setattr(TaskQuerySet, "unchanged_since", change_first)

    response = write.send(alice, "alice", task.id, **{"If-Match": tag})

    assert response.status_code == status
    assert [row[2] for row in rows()] == left
