"""``If-Match`` (contract.md "What goes beyond the plan", versions; RFC 9110 §13.1.1)."""

from typing import Any

import pytest
from django.db import connection

from conftest import ApiClient
from tasks.models import Task, TaskQuerySet, TaskRow
from tasks.tests.factories import rows
from tasks.tests.link_walker import TASKS

pytestmark = pytest.mark.django_db

OTHER = '"0123456789abcdef0123456789abcdef"'
CHANGED = {"detail": "Task has changed", "error": "Task has changed"}
# method, what follows the task's path, body, status of success
WRITES = [
    pytest.param("PUT", "", {"title": "New"}, 200, id="update"),
    pytest.param("PATCH", "/complete", None, 200, id="flip"),
    pytest.param("DELETE", "", None, 204, id="delete"),
]
writes = pytest.mark.parametrize(("method", "suffix", "body", "status"), WRITES)


@writes
@pytest.mark.parametrize("header", ["{tag}", "*", f"{OTHER}, {{tag}}", '{tag} ,"x"', " {tag} "])
def test_a_write_to_the_version_that_was_seen_succeeds(
    alice: ApiClient,
    path: str,
    tag: str,
    method: str,
    suffix: str,
    body: Any,
    status: int,
    header: str,
) -> None:
    """A matching ``If-Match`` must change nothing of what a write does (RFC 9110 §13.1.1)."""
    answer = alice.send(method, path + suffix, body, **{"If-Match": header.format(tag=tag)})

    assert answer.status_code == status
    after = alice.send("GET", path)
    assert (after.status_code, after.headers.get("ETag")) == (
        (404, None) if method == "DELETE" else (200, answer["ETag"])
    )


@writes
@pytest.mark.parametrize(
    "header",
    [
        OTHER,
        "W/{tag}",
        f"W/{{tag}}, {OTHER}",
        "",
        ",",
        "{bare}",
        '"',
        "{tag}x",
        '"*"',
        '"*", *',
        "\xff",
    ],
)
def test_a_write_to_another_version_is_refused(
    alice: ApiClient,
    path: str,
    tag: str,
    method: str,
    suffix: str,
    body: Any,
    status: int,
    header: str,
) -> None:
    """Another tag, a weak one, and what is no tag must be a 412 that changes nothing."""
    before = rows()
    header = header.format(tag=tag, bare=tag.strip('"'))

    answer = alice.send(method, path + suffix, body, **{"If-Match": header})

    assert (answer.status_code, answer.json()) == (412, CHANGED)
    assert answer["Cache-Control"] == "no-store"
    assert rows() == before


@writes
@pytest.mark.parametrize(
    "change",
    ["title = 'other'", "description = 'other'", "completed = true", "updated_at = created_at"],
)
def test_a_write_after_a_change_past_the_application_is_refused(
    alice: ApiClient,
    task: Task,
    path: str,
    method: str,
    suffix: str,
    body: Any,
    status: int,
    change: str,
) -> None:
    """Whoever has changed the task meanwhile must not be overwritten unseen."""
    alice.send("PUT", path, {"description": None})
    seen = alice.send("GET", path)["ETag"]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE task SET {change} WHERE id = %s", [task.id])  # noqa: S608
    before = rows()

    answer = alice.send(method, path + suffix, body, **{"If-Match": seen})

    assert (answer.status_code, rows()) == (412, before)


def test_a_repeated_flip_does_not_flip_back(alice: ApiClient, path: str, tag: str) -> None:
    """A client that saw no answer must be able to ask again."""
    first, second = (alice.send("PATCH", f"{path}/complete", **{"If-Match": tag}) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 412)
    assert Task.objects.get().completed is True


@writes
@pytest.mark.parametrize("header", ["*", OTHER, f"W/{OTHER}", "nonsense", ""])
@pytest.mark.parametrize("whose", ["foreign", "missing", "no id"])
def test_a_task_that_is_not_there_stays_missing(
    bob: ApiClient,
    task: Task,
    method: str,
    suffix: str,
    body: Any,
    status: int,
    header: str,
    whose: str,
) -> None:
    """A 412 would tell that somebody else's task is there (SC-002)."""
    name = {"foreign": str(task.id), "missing": str(task.id + 1), "no id": "abc"}[whose]
    before = rows()

    answer = bob.send(method, f"/api/bob/tasks/{name}{suffix}", body, **{"If-Match": header})

    assert (answer.status_code, answer.json()["detail"]) == (404, "Task not found")
    assert rows() == before


@writes
def test_another_users_version_is_missing_too(
    bob: ApiClient, task: Task, tag: str, method: str, suffix: str, body: Any, status: int
) -> None:
    """Not even the right tag must tell that a task is there (FR-013)."""
    before = rows()

    answer = bob.send(method, f"/api/bob/tasks/{task.id}{suffix}", body, **{"If-Match": tag})

    assert (answer.status_code, rows()) == (404, before)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"title": ""}, 422), ([], 422), ("{", 400), ("x" * 65_537, 413)],
    ids=["422", "422 of no object", "400", "413"],
)
def test_the_body_is_checked_before_the_version(
    alice: ApiClient, path: str, body: Any, status: int
) -> None:
    """A 412 must come last (contract.md "Who may come in")."""
    before = rows()

    assert alice.send("PUT", path, body, **{"If-Match": OTHER}).status_code == status
    assert rows() == before


@writes
@pytest.mark.parametrize(("user", "refusal"), [("anybody", 401), ("bob", 403)])
def test_who_may_come_in_is_checked_before_the_version(
    request: pytest.FixtureRequest,
    path: str,
    method: str,
    suffix: str,
    body: Any,
    status: int,
    user: str,
    refusal: int,
) -> None:
    """A stranger must not learn whether a version is the one (contract.md "Who may come in")."""
    client: ApiClient = request.getfixturevalue(user)
    before = rows()

    answer = client.send(method, path + suffix, body, **{"If-Match": OTHER})

    assert (answer.status_code, rows()) == (refusal, before)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_if_match_says_nothing_to_what_overwrites_nothing(alice: ApiClient, method: str) -> None:
    """Only PUT, PATCH and DELETE must look at it."""
    body = {"title": "New"} if method == "POST" else None

    assert alice.send(method, TASKS, body, **{"If-Match": OTHER}).status_code in (200, 201)


@writes
@pytest.mark.parametrize("change", ["UPDATE task SET title = 'theirs'", "DELETE FROM task"])
def test_a_change_between_the_look_and_the_write_is_noticed(
    alice: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    tag: str,
    method: str,
    suffix: str,
    body: Any,
    status: int,
    change: str,
) -> None:
    """The write itself must look at the version: two tabs may send at the same moment."""
    unchanged_since = TaskQuerySet.unchanged_since

    def meanwhile(tasks: TaskQuerySet, task: TaskRow) -> TaskQuerySet:
        with connection.cursor() as cursor:
            cursor.execute(change)
        return unchanged_since(tasks, task)

    monkeypatch.setattr(TaskQuerySet, "unchanged_since", meanwhile)

    answer = alice.send(method, path + suffix, body, **{"If-Match": tag})

    assert answer.status_code == (404 if change.startswith("DELETE") else 412)
    assert [row[2] for row in rows()] == ([] if change.startswith("DELETE") else ["theirs"])
