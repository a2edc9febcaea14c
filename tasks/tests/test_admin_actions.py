"""What staff do with many tasks at once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from todo_project.tests.staff import boss

LIST = "/admin/tasks/task/"
ACTIONS = ("mark_completed", "mark_not_completed", "delete_selected")
WRITES = ("UPDATE", "DELETE", "WITH", "INSERT")


@pytest.fixture
def staff(db: None) -> Client:
    """Sign somebody in who may do everything."""
    return boss()


@pytest.fixture
def tasks(db: None) -> list[int]:
    """Give alice three open tasks and bob a completed one; return their ids."""
    owners = [("alice", False)] * 3 + [("bob", True)]
    return [TaskFactory.create(user_id=user, completed=done).id for user, done in owners]


def act(staff: Client, action: str, selected: list[Any], query: str = "", **sent: Any) -> Any:
    """Choose an action for the tasks with these ids, and confirm it."""
    form = {"action": action, "_selected_action": selected, "post": "yes", **sent}
    return staff.post(f"{LIST}{query}", form)


def said(answer: Any) -> list[str]:
    """Return the messages that the next page shows."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def completed() -> list[bool]:
    """Return the states of all tasks."""
    return list(Task.objects.order_by("pk").values_list("completed", flat=True))


def test_tasks_are_marked(staff: Client, tasks: list[int]) -> None:
    """The selected tasks must be changed, no others, and their number be reported."""
    before = rows()

    answer = act(staff, "mark_completed", tasks[:2])

    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert said(answer) == ["2 tasks were marked completed."]
    assert completed() == [True, True, False, True]
    assert rows()[2:] == before[2:]
    back = said(act(staff, "mark_not_completed", [tasks[3]]))
    assert back[-1] == "1 task was marked not completed."
    assert completed() == [True, True, False, False]


def test_marking_moves_the_time_forward(staff: Client, tasks: list[int]) -> None:
    """``updated_at`` must move strictly forward whatever the clock says (contract.md "A task")."""
    before = datetime(2200, 1, 1, tzinfo=UTC)
    Task.objects.update(updated_at=before)

    act(staff, "mark_completed", tasks)

    assert all(updated > before for updated in Task.objects.values_list("updated_at", flat=True))


def test_tasks_are_deleted_once_that_is_confirmed(staff: Client, tasks: list[int]) -> None:
    """A slip must not delete anything; the question must say how many tasks it is about."""
    question = staff.post(LIST, {"action": "delete_selected", "_selected_action": tasks[:3]})
    before = len(rows())
    answer = act(staff, "delete_selected", tasks[:3])

    assert question.status_code == 200
    assert b"3 tasks are deleted for good" in question.content
    assert question.content.count(b'name="_selected_action"') == 3
    assert before == 4
    assert said(answer) == ["3 tasks were deleted."]
    assert [row[0] for row in rows()] == tasks[3:]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_one_statement(staff: Client, tasks: list[int], action: str) -> None:
    """Tasks must be written by one statement, with no row read or written by itself."""
    with CaptureQueriesContext(connection) as captured:
        act(staff, action, tasks)

    statements = [str(query["sql"]) for query in captured]
    writes = [sql for sql in statements if sql.startswith(WRITES) and '"task"' in sql]
    # On SQLite the log entries cannot be part of the statement.
    assert len([sql for sql in writes if not sql.startswith("INSERT")]) == 1
    assert len(writes) == (1 if connection.vendor == "postgresql" else 2)


@pytest.mark.parametrize("action", ACTIONS)
def test_all_tasks_across_the_pages_can_be_selected(
    staff: Client, tasks: list[int], action: str
) -> None:
    """What is selected across pages must be what the filters and the search keep."""
    answer = act(staff, action, tasks[:1], "?q=alice", select_across="1")

    assert said(answer)[0].startswith("3 tasks were ")
    assert Task.objects.filter(pk=tasks[3], completed=True).exists()


def test_the_question_keeps_what_was_selected_across_pages(staff: Client, tasks: list[int]) -> None:
    """Confirming must delete what the question was about."""
    form = {"action": "delete_selected", "_selected_action": tasks[:1], "select_across": "1"}

    question = staff.post(f"{LIST}?q=alice", form)

    assert b"3 tasks are deleted for good" in question.content
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
def test_an_action_is_on_record_for_each_task(
    staff: Client, tasks: list[int], action: str, flag: int, message: str
) -> None:
    """Who did what to which task must be told afterwards, in Django's own log."""
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


def test_what_selects_no_task_changes_nothing(staff: Client, tasks: list[int]) -> None:
    """Neither an empty selection nor a task that is gone may change or record anything."""
    before = rows()

    for action in ACTIONS:
        act(staff, action, [])
        assert said(act(staff, action, [7]))[-1].startswith("0 tasks were ")

    assert rows() == before
    assert not LogEntry.objects.exists()


def test_a_box_that_no_page_has_is_refused(staff: Client, tasks: list[int]) -> None:
    """What somebody has made up must be no fault of ours, and change nothing."""
    before = rows()
    boxes = ["abc", "", "-1", "9" * 30, "1 OR 1=1"]

    answers = [act(staff, "mark_completed", [tasks[0], box]) for box in boxes]

    assert [answer.status_code for answer in answers] == [400] * 5
    assert rows() == before
