"""The admin's bulk actions."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.admin import ModelAdmin, site
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.messages import get_messages
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from tasks.maintenance.batches import id_ranges
from tasks.models import Task
from tasks.staff import bulk
from tasks.tests.factories import TaskFactory, rows
from todo_project.tests.staff import superuser_client

LIST = "/admin/tasks/task/"
ACTIONS = ("mark_completed", "mark_not_completed", "delete_selected")
WRITES = ("UPDATE", "DELETE", "WITH", "INSERT")


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser."""
    return superuser_client()


@pytest.fixture
def tasks(db: None) -> list[int]:
    """Create three open tasks for Alice and a completed one for Bob; return their ids."""
    owners = [("alice", False)] * 3 + [("bob", True)]
    return [TaskFactory.create(user_id=user, completed=done).id for user, done in owners]


def act(staff: Client, action: str, selected: list[Any], query: str = "", **sent: Any) -> Any:
    """Run an action on the tasks with these ids and confirm it."""
    form = {"action": action, "_selected_action": selected, "post": "yes", **sent}
    return staff.post(f"{LIST}{query}", form)


def shown_messages(response: Any) -> list[str]:
    """Return the messages for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def completed() -> list[bool]:
    """Return the ``completed`` values of all tasks."""
    return list(Task.objects.order_by("pk").values_list("completed", flat=True))


def test_the_selected_tasks_are_marked(staff: Client, tasks: list[int]) -> None:
    """Only the selected tasks may change, and the message must say how many did."""
    before = rows()

    response = act(staff, "mark_completed", tasks[:2])

    assert (response.status_code, response["Location"]) == (302, LIST)
    assert shown_messages(response) == ["2 tasks were marked completed."]
    assert completed() == [True, True, False, True]
    assert rows()[2:] == before[2:]
    back = shown_messages(act(staff, "mark_not_completed", [tasks[3]]))
    assert back[-1] == "1 task was marked not completed."
    assert completed() == [True, True, False, False]


def test_marking_moves_updated_at_forward(staff: Client, tasks: list[int]) -> None:
    """``updated_at`` must increase even if the clock is behind (docs/contract.md, "A task")."""
    before = datetime(2200, 1, 1, tzinfo=UTC)
    Task.objects.update(updated_at=before)

    act(staff, "mark_completed", tasks)

    assert all(updated > before for updated in Task.objects.values_list("updated_at", flat=True))


def test_tasks_are_deleted_after_confirmation(staff: Client, tasks: list[int]) -> None:
    """The action must show the number of tasks and delete them only when confirmed."""
    question = staff.post(LIST, {"action": "delete_selected", "_selected_action": tasks[:3]})
    before = len(rows())
    response = act(staff, "delete_selected", tasks[:3])

    assert question.status_code == 200
    assert b"3 tasks will be permanently deleted" in question.content
    assert question.content.count(b'name="_selected_action"') == 3
    assert before == 4
    assert shown_messages(response) == ["3 tasks were deleted."]
    assert [row[0] for row in rows()] == tasks[3:]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_one_statement(staff: Client, tasks: list[int], action: str) -> None:
    """One statement must write the tasks of a batch."""
    with CaptureQueriesContext(connection) as captured:
        act(staff, action, tasks)

    statements = [str(query["sql"]) for query in captured]
    writes = [sql for sql in statements if sql.startswith(WRITES) and '"task"' in sql]
    # On SQLite, a separate statement writes the log entries.
    assert len([sql for sql in writes if not sql.startswith("INSERT")]) == 1
    assert len(writes) == (1 if connection.vendor == "postgresql" else 2)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_runs_in_batches(
    staff: Client, tasks: list[int], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Each batch must be a transaction, so that the API's writes need not wait for all."""
    monkeypatch.setattr(bulk, "id_ranges", partial(id_ranges, batch_size=2))
    with CaptureQueriesContext(connection) as captured:
        response = act(staff, action, tasks)

    statements = [str(query["sql"]) for query in captured]
    writes = [sql for sql in statements if sql.startswith(WRITES) and '"task"' in sql]
    assert len([sql for sql in writes if not sql.startswith("INSERT")]) == 2
    assert shown_messages(response)[0].startswith("4 tasks were ")
    assert LogEntry.objects.count() == 4


def test_an_action_leaves_out_what_is_created_meanwhile(tasks: list[int]) -> None:
    """Staff have selected what was there."""
    ranges = id_ranges(Task.objects.all(), 2)
    found = [next(ranges)]
    TaskFactory.create()
    found += ranges

    assert found == [(tasks[0], tasks[1]), (tasks[2], tasks[3])]
    assert list(id_ranges(Task.objects.none())) == []


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_breaks_off_says_what_it_has_done(
    staff: Client, tasks: list[int], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Staff must know that the first batches stay written; an outage before them is a 503."""
    failing = OperationalError("the database is away")

    def ranges(*args: Any) -> Iterator[tuple[int, int]]:
        yield from given
        raise failing

    monkeypatch.setattr(bulk, "id_ranges", ranges)
    given: list[tuple[int, int]] = []
    before = rows()
    unavailable = act(staff, action, tasks)
    unchanged = rows() == before
    given = [(tasks[0], tasks[1])]
    response = act(staff, action, tasks)

    assert (unavailable.status_code, unchanged) == (503, True)
    assert response.status_code == 302
    [message] = shown_messages(response)
    assert message.startswith("2 tasks were ")
    assert message.endswith(
        ". Then the database failed: the others are unchanged. Repeat the action."
    )
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_applies_to_all_pages(staff: Client, tasks: list[int], action: str) -> None:
    """A selection across pages must contain all results of the search, and no other task."""
    response = act(staff, action, tasks[:1], "?q=alice", select_across="1")

    assert shown_messages(response)[0].startswith("3 tasks were ")
    assert Task.objects.filter(pk=tasks[3], completed=True).exists()


def test_the_confirmation_keeps_a_selection_across_pages(staff: Client, tasks: list[int]) -> None:
    """The confirmation page must count and resubmit all results of the search."""
    form = {"action": "delete_selected", "_selected_action": tasks[:1], "select_across": "1"}

    question = staff.post(f"{LIST}?q=alice", form)

    assert b"3 tasks will be permanently deleted" in question.content
    assert b'name="select_across" value="1"' in question.content
    assert len(rows()) == 4


@pytest.mark.parametrize(
    ("action", "flag", "message"),
    [
        ("mark_completed", CHANGE, "Marked completed."),
        ("mark_not_completed", CHANGE, "Marked not completed."),
        ("delete_selected", DELETION, ""),
    ],
)
def test_an_action_writes_a_log_entry_for_each_task(
    staff: Client, tasks: list[int], action: str, flag: int, message: str
) -> None:
    """Django's admin log must record the account, the action and each task."""
    titles = list(Task.objects.order_by("pk").values_list("title", flat=True))

    act(staff, action, tasks[:2])

    entries = LogEntry.objects.order_by("object_id")
    assert [entry.object_id for entry in entries] == [str(task) for task in tasks[:2]]
    assert [entry.object_repr for entry in entries] == titles[:2]
    assert {entry.user.username for entry in entries} == {"boss"}
    assert {(entry.action_flag, entry.get_change_message()) for entry in entries} == {
        (flag, message)
    }
    assert {entry.content_type.model for entry in entries if entry.content_type} == {"task"}


def test_an_action_without_tasks_changes_nothing(staff: Client, tasks: list[int]) -> None:
    """An empty selection or a missing task must change and log nothing."""
    before = rows()

    for action in ACTIONS:
        act(staff, action, [])
        assert shown_messages(act(staff, action, [7]))[-1].startswith("0 tasks were ")

    assert rows() == before
    assert not LogEntry.objects.exists()


def test_a_malformed_id_is_rejected(staff: Client, tasks: list[int]) -> None:
    """A malformed id must return a 400 and change nothing."""
    before = rows()
    malformed = ["abc", "", "-1", "9" * 30, "1 OR 1=1"]

    responses = [act(staff, "mark_completed", [tasks[0], task_id]) for task_id in malformed]

    assert [response.status_code for response in responses] == [400] * 5
    assert rows() == before


def test_arguments_of_a_newer_django_are_passed_on(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django 6.1 calls ``response_action`` with an ``action_location``."""
    monkeypatch.setattr(ModelAdmin, "response_action", handle := Mock())
    location: dict[str, Any] = {"action_location": "changelist"}

    site._registry[Task].response_action(rf.post(LIST), Task.objects.none(), **location)

    assert handle.call_args.kwargs == location
