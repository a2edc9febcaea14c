"""Tasks as CSV."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tasks.models import Task
from tasks.staff import exports
from tasks.staff.exports import defused
from tasks.tests.better_auth import add_user, create_table
from tasks.tests.factories import TaskFactory
from todo_project.tests.staff import boss

LIST = "/admin/tasks/task/"
HEAD = ["id", "user_id", "title", "description", "completed", "created_at", "updated_at"]


@pytest.fixture
def staff(db: None) -> Client:
    """Sign somebody in who may do everything."""
    return boss()


def export(staff: Client, query: str = "", **sent: Any) -> list[list[str]]:
    """Export tasks, and read the file."""
    form = {"action": "export_as_csv", "_selected_action": "1", "select_across": "1", **sent}
    answer = staff.post(f"{LIST}{query}", form)
    assert (answer.status_code, answer.streaming) == (200, True)
    return list(csv.reader(io.StringIO(answer.getvalue().decode(), newline="")))


def test_an_export_has_all_fields(staff: Client) -> None:
    """The names and forms must be those of the API."""
    Task.objects.add(user_id="alice", title="Buy milk", description='a, b\n"c"', completed=True)
    task = Task.objects.add(user_id="zoë", title="Café")

    rows = export(staff)

    assert rows[0] == HEAD
    moment = task.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert rows[1] == [str(task.id), "zoë", "Café", "", "false", moment, moment]
    assert rows[2][2:5] == ["Buy milk", 'a, b\n"c"', "true"]


def test_an_export_is_a_file(staff: Client) -> None:
    """A browser must store it, and nobody else keep it."""
    form = {"action": "export_as_csv", "_selected_action": "1", "select_across": "1"}

    answer = staff.post(LIST, form)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="tasks-')
    assert "no-store" in answer["Cache-Control"]
    assert answer.getvalue().startswith(b"id,")


def test_only_what_is_selected_is_exported(staff: Client) -> None:
    """Boxes, filters and the search must hold for the file, too."""
    one, two = (TaskFactory.create(title=title).id for title in ("One", "Two"))
    three = TaskFactory.create(title="Three two", user_id="bob").id

    assert [row[0] for row in export(staff, _selected_action=[one, three], select_across="0")] == [
        *("id", str(three), str(one))
    ]
    assert [row[0] for row in export(staff, "?q=two")] == ["id", str(three), str(two)]


def test_an_export_is_read_in_batches(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither memory nor a statement may grow with the table."""
    monkeypatch.setattr(exports, "BATCH_SIZE", 2)
    ids = [TaskFactory.create().id for _ in range(5)]

    with CaptureQueriesContext(connection) as captured:
        rows = export(staff)

    assert [row[0] for row in rows[1:]] == [str(task) for task in reversed(ids)]
    batches = [sql for query in captured if (sql := str(query["sql"])).endswith("LIMIT 2")]
    assert len(batches) == 4
    assert not [sql for sql in batches if "OFFSET" in sql]


def test_an_export_says_whose_tasks_they_are(staff: Client) -> None:
    """Where Better Auth's table can tell, address and name must be in the file."""
    create_table()
    add_user("alice", "ada@example.com", "=Ada")
    TaskFactory.create(user_id="alice")
    TaskFactory.create(user_id="nobody")

    rows = export(staff)

    assert rows[0] == [*HEAD, "owner_email", "owner_name"]
    assert [row[7:] for row in rows[1:]] == [["", ""], ["ada@example.com", "'=Ada"]]


def test_a_formula_is_defused(staff: Client) -> None:
    """A spreadsheet must show what a user has written, and never run it."""
    texts = [
        *["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1+1", "\u3000=1+1"],
        *["\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "=cmd|' /C calc'!A0", "'quoted'"],
    ]
    for text in texts:
        TaskFactory.create(user_id=text, title=text, description=text)

    [_, *rows] = export(staff)

    assert [row[1:4] for row in reversed(rows)] == [[f"'{text}"] * 3 for text in texts]


def test_any_other_text_is_left_alone() -> None:
    """What no spreadsheet runs must stay as it is."""
    texts = ["Buy milk", "1-2", "a=b", "", "me@example.com", " x"]

    assert [defused(text) for text in texts] == texts


@given(st.text())
def test_defusing_can_be_undone(text: str) -> None:
    """Taking an apostrophe from each cell that begins with one must give the texts back."""
    cell = defused(text)

    assert (cell[1:] if cell.startswith("'") else cell) == text
