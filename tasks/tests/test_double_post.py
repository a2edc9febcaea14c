"""The front end's double post (docs/contract.md, "Extensions")."""

from typing import Any

import pytest
from time_machine import travel

from conftest import ApiClient
from tasks.models import MAX_TASK_ID, Task
from tasks.tests.factories import rows
from tasks.tests.link_walker import TASKS
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def created(alice: ApiClient) -> Any:
    """Create a task at a fixed time and return it as the API renders it."""
    with travel("2026-01-06T15:30:00.120000Z", tick=False):
        return ApiClient("alice").send("POST", TASKS, {"title": "Buy milk"}).json()


def is_replayed(client: ApiClient, body: Any, created: Any) -> bool:
    """Return whether posting a body replays the existing task; check that nothing else changes."""
    before = rows()
    response = client.send("POST", TASKS, body)
    assert response.status_code == 201
    if "Idempotent-Replayed" not in response:
        assert (response.json()["id"] > created["id"], rows()[:-1]) == (True, before)
        return False
    assert (response["Idempotent-Replayed"], response.json(), rows()) == ("true", created, before)
    return True


def test_a_posted_copy_returns_the_existing_task(alice: ApiClient, created: Any) -> None:
    """The front end's second post must not duplicate the task, even if repeated (SC-005)."""
    assert is_replayed(alice, created, created)
    assert is_replayed(alice, created, created)
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("title", "description", "completed"),
    [("ß\u0301 😀", "", True), (" \N{NBSP}x\t", "a\r\nb", False), ("x", None, True)],
    ids=ascii,
)
def test_a_copy_of_any_task_is_recognised(
    alice: ApiClient, title: str, description: str | None, completed: bool
) -> None:
    """A copy of any valid task must be recognised."""
    sent = {"title": title, "description": description, "completed": completed}
    created = alice.send("POST", TASKS, sent).json()

    assert is_replayed(alice, created, created)


SAME_TIMES = [
    *("2026-01-06T15:30:00.120000Z", "2026-01-06T15:30:00.12Z", "2026-01-06T15:30:00.120Z"),
    *("2026-01-06T15:30:00.120000000Z", "2026-01-06T15:30:00.120000+00:00"),
    *("2026-01-06T15:30:00.12-00:00", "2026-01-06T21:00:00.12+05:30"),
    *("2026-01-06T10:30:00.12-05:00", "2026-01-07T05:30:00.12+14:00"),
    *("2026-01-06t15:30:00.12z", "2026-01-06 15:30:00.12Z"),
]
OTHER_TIMES: list[Any] = [
    *(None, True, 0, 1767713400, 1767713400.12, [], {}, "", "now", "x" * 1000, "\0", "\ud800"),
    *("2026-01-06T15:30:00.120001Z", "2026-01-06T15:30:00.119999Z", "2026-01-06T15:30:00Z"),
    *("2026-01-06T15:30:00.1200001Z", "2026-01-06T15:30:00.12+01:00", "2026-01-06"),
    *("2026-01-06T15:30:00.12", "2026-01-06T15:30:00,12Z", "2026-02-30T15:30:00.12Z"),
    *("2026-01-06T15:30:60Z", "2026-01-06T24:00:00Z", "2026-01-06T15:30:00.12+99:99"),
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    *("10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "٢٠٢٦-01-06T15:30:00.12Z"),
    *("2026-01-06T15:30:00.12Z\n", " 2026-01-06T15:30:00.12Z", "2026-01-06T15:30:00.Z"),
    *("2026-W02-2T15:30:00.12Z", "20260106T153000.12Z", "infinity", "2026-01-06T15:30:00.12ZZ"),
]
OTHER_IDS: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, "1001", "", [], {}, MAX_TASK_ID, MAX_TASK_ID + 1),
    *(-MAX_TASK_ID - 2, 10**30, 10**400, [1001], "\0"),
]
CHANGES: list[dict[str, Any]] = [
    *({"title": "Buy milk "}, {"title": "buy milk"}, {"title": "Buy\N{NBSP}milk"}),
    *({"description": ""}, {"description": "x"}, {"completed": True}),
]


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        pytest.param([{"created_at": each} for each in SAME_TIMES], True, id="same time"),
        pytest.param([{"created_at": each} for each in OTHER_TIMES], False, id="other time"),
        pytest.param([{"id": each} for each in OTHER_IDS], False, id="other id"),
        pytest.param(CHANGES, False, id="other content"),
        # read-only and unknown fields
        pytest.param([{"user_id": "bob", "updated_at": "yesterday", "x": 1}], True, id="ignored"),
    ],
)
def test_only_a_different_body_creates_a_task(
    alice: ApiClient, created: Any, changes: list[dict[str, Any]], is_same: bool
) -> None:
    """Times must be compared as instants, other values exactly.

    A malformed id or time must not be a 500.
    """

    def outcome(change: dict[str, Any]) -> bool:
        return is_replayed(alice, created | change, created)

    assert wrong_rows(changes, outcome, is_same) == []


def test_absent_fields_have_their_defaults(alice: ApiClient, created: Any) -> None:
    """An absent description must count as ``null``, an absent ``completed`` as ``false``.

    The id or the time alone must not be enough.
    """

    def is_same(absent: str) -> bool:
        body = {name: value for name, value in created.items() if name != absent}
        return is_replayed(alice, body, created)

    needed = {"id", "created_at"}
    assert {name for name in created if name != "title" and not is_same(name)} == needed


@pytest.mark.parametrize(
    ("stored", "absent"), [({"description": ""}, "description"), ({"completed": True}, "completed")]
)
def test_an_absent_field_equals_only_its_default(
    alice: ApiClient, stored: dict[str, Any], absent: str
) -> None:
    """An absent field must create a task if the stored value is not the default."""
    task = alice.send("POST", TASKS, {"title": "Buy milk", **stored}).json()
    body = {name: value for name, value in task.items() if name != absent}

    assert not is_replayed(alice, body, task)


def test_a_copy_of_an_old_version_creates_a_task(alice: ApiClient, created: Any) -> None:
    """A copy of an earlier version must create a new task."""
    alice.send("PATCH", f"{TASKS}/{created['id']}/complete")

    assert not is_replayed(alice, created, created)


def test_a_copy_of_the_current_version_is_recognised(alice: ApiClient, created: Any) -> None:
    """A copy of the current version of a changed task must be recognised."""
    now = alice.send("PUT", f"{TASKS}/{created['id']}", {"title": "Buy bread"}).json()

    assert is_replayed(alice, {**created, "title": "Buy bread"}, now)


def test_a_copy_of_another_users_task_creates_a_task(
    alice: ApiClient, bob: ApiClient, created: Any
) -> None:
    """Another user's task must look absent (SC-002)."""
    response = bob.send("POST", "/api/bob/tasks", created)

    assert (response.status_code, response.json()["user_id"]) == (201, "bob")
    assert response.json()["id"] != created["id"]
    assert "Idempotent-Replayed" not in response


def test_a_copy_of_a_deleted_task_creates_a_task(alice: ApiClient, created: Any) -> None:
    """A deleted task must not be recognised."""
    alice.send("DELETE", f"{TASKS}/{created['id']}")

    assert not is_replayed(alice, created, created)


def test_an_invalid_copy_is_refused(alice: ApiClient, created: Any) -> None:
    """An id and a time must not bypass validation."""
    before = rows()

    assert alice.send("POST", TASKS, {**created, "title": ""}).status_code == 422
    assert rows() == before
