"""The front end's double post (docs/contract.md, "What goes beyond the plan")."""

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
def shown(alice: ApiClient) -> Any:
    """Create a task at a moment that is easy to write, and show it as the front end gets it."""
    with travel("2026-01-06T15:30:00.120000Z", tick=False):
        return ApiClient("alice").send("POST", TASKS, {"title": "Buy milk"}).json()


def is_the_same(client: ApiClient, body: Any, shown: Any) -> bool:
    """Post a body; tell whether it was taken for the task, all else being as it was."""
    before = rows()
    answer = client.send("POST", TASKS, body)
    assert answer.status_code == 201
    if "Idempotent-Replayed" not in answer:
        assert (answer.json()["id"] > shown["id"], rows()[:-1]) == (True, before)
        return False
    assert (answer["Idempotent-Replayed"], answer.json(), rows()) == ("true", shown, before)
    return True


def test_the_task_that_came_back_is_that_task(alice: ApiClient, shown: Any) -> None:
    """Its page must not double what its form has created, however often it posts it (SC-005)."""
    assert is_the_same(alice, shown, shown)
    assert is_the_same(alice, shown, shown)
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("title", "description", "completed"),
    [("ß\u0301 😀", "", True), (" \N{NBSP}x\t", "a\r\nb", False), ("x", None, True)],
    ids=ascii,
)
def test_any_task_of_ones_own_is_recognised(
    alice: ApiClient, title: str, description: str | None, completed: bool
) -> None:
    """Whatever a task holds, its copy must be the task."""
    sent = {"title": title, "description": description, "completed": completed}
    created = alice.send("POST", TASKS, sent).json()

    assert is_the_same(alice, created, created)


SAME_MOMENTS = [
    *("2026-01-06T15:30:00.120000Z", "2026-01-06T15:30:00.12Z", "2026-01-06T15:30:00.120Z"),
    *("2026-01-06T15:30:00.120000000Z", "2026-01-06T15:30:00.120000+00:00"),
    *("2026-01-06T15:30:00.12-00:00", "2026-01-06T21:00:00.12+05:30"),
    *("2026-01-06T10:30:00.12-05:00", "2026-01-07T05:30:00.12+14:00"),
    *("2026-01-06t15:30:00.12z", "2026-01-06 15:30:00.12Z"),
]
OTHER_MOMENTS: list[Any] = [
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
        pytest.param([{"created_at": each} for each in SAME_MOMENTS], True, id="same moment"),
        pytest.param([{"created_at": each} for each in OTHER_MOMENTS], False, id="other moment"),
        pytest.param([{"id": each} for each in OTHER_IDS], False, id="other id"),
        pytest.param(CHANGES, False, id="other content"),
        # what a client may not set
        pytest.param([{"user_id": "bob", "updated_at": "yesterday", "x": 1}], True, id="ignored"),
    ],
)
def test_what_differs_makes_a_new_task_and_what_is_equal_none(
    alice: ApiClient, shown: Any, changes: list[dict[str, Any]], is_same: bool
) -> None:
    """Times must compare as instants, all else exactly; what is none is no fault of ours."""

    def answer(change: dict[str, Any]) -> bool:
        return is_the_same(alice, shown | change, shown)

    assert wrong_rows(changes, answer, is_same) == []


def test_what_is_absent_has_its_default(alice: ApiClient, shown: Any) -> None:
    """An absent description must equal ``null``, an absent ``completed`` ``false``.

    Of the id and the time, one alone must not be enough.
    """

    def is_same(absent: str) -> bool:
        body = {name: value for name, value in shown.items() if name != absent}
        return is_the_same(alice, body, shown)

    needed = {"id", "created_at"}
    assert {name for name in shown if name != "title" and not is_same(name)} == needed


@pytest.mark.parametrize(
    ("stored", "absent"), [({"description": ""}, "description"), ({"completed": True}, "completed")]
)
def test_a_default_that_the_task_has_not_makes_a_new_task(
    alice: ApiClient, stored: dict[str, Any], absent: str
) -> None:
    """What is absent must not equal anything else than its default."""
    task = alice.send("POST", TASKS, {"title": "Buy milk", **stored}).json()
    body = {name: value for name, value in task.items() if name != absent}

    assert not is_the_same(alice, body, task)


def test_a_task_that_has_changed_since_is_another(alice: ApiClient, shown: Any) -> None:
    """A copy of how the task was must be a new one: it is not what is there."""
    alice.send("PATCH", f"{TASKS}/{shown['id']}/complete")

    assert not is_the_same(alice, shown, shown)


def test_a_copy_of_the_task_as_it_is_now_is_the_task(alice: ApiClient, shown: Any) -> None:
    """A change must not end a task's being recognised."""
    now = alice.send("PUT", f"{TASKS}/{shown['id']}", {"title": "Buy bread"}).json()

    assert is_the_same(alice, {**shown, "title": "Buy bread"}, now)


def test_another_users_task_makes_a_new_one(alice: ApiClient, bob: ApiClient, shown: Any) -> None:
    """Another user's task must look absent (SC-002)."""
    answer = bob.send("POST", "/api/bob/tasks", shown)

    assert (answer.status_code, answer.json()["user_id"]) == (201, "bob")
    assert answer.json()["id"] != shown["id"]
    assert "Idempotent-Replayed" not in answer


def test_a_deleted_task_is_made_anew(alice: ApiClient, shown: Any) -> None:
    """What is not there cannot be meant."""
    alice.send("DELETE", f"{TASKS}/{shown['id']}")

    assert not is_the_same(alice, shown, shown)


def test_a_bad_copy_is_refused_like_any_body(alice: ApiClient, shown: Any) -> None:
    """An id and a time must not let pass what is refused without them."""
    before = rows()

    assert alice.send("POST", TASKS, {**shown, "title": ""}).status_code == 422
    assert rows() == before
