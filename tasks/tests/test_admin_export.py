"""The admin's CSV export."""

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
from todo_project.tests.staff import superuser_client

LIST = "/admin/tasks/task/"
HEAD = ["id", "user_id", "title", "description", "completed", "created_at", "updated_at"]


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser."""
    return superuser_client()


def export(staff: Client, query: str = "", **sent: Any) -> list[list[str]]:
    """Export tasks and parse the file."""
    form = {"action": "export_as_csv", "_selected_action": "1", "select_across": "1", **sent}
    response = staff.post(f"{LIST}{query}", form)
    assert (response.status_code, response.streaming) == (200, True)
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def test_an_export_has_all_fields(staff: Client) -> None:
    """Column names and formats must match the API."""
    Task.objects.add(user_id="alice", title="Buy milk", description='a, b\n"c"', completed=True)
    task = Task.objects.add(user_id="zoë", title="Café")

    rows = export(staff)

    assert rows[0] == HEAD
    created_at = task.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert rows[1] == [str(task.id), "zoë", "Café", "", "false", created_at, created_at]
    assert rows[2][2:5] == ["Buy milk", 'a, b\n"c"', "true"]


def test_an_export_is_an_uncached_download(staff: Client) -> None:
    """The response must be an attachment that no cache stores, and that Excel reads as UTF-8."""
    form = {"action": "export_as_csv", "_selected_action": "1", "select_across": "1"}

    response = staff.post(LIST, form)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="tasks-')
    assert "no-store" in response["Cache-Control"]
    assert response.getvalue().startswith(b"\xef\xbb\xbfid,")


def test_only_the_selected_tasks_are_exported(staff: Client) -> None:
    """The export must contain the checked tasks, or the results of the search."""
    one, two = (TaskFactory.create(title=title).id for title in ("One", "Two"))
    three = TaskFactory.create(title="Three two", user_id="bob").id

    assert [row[0] for row in export(staff, _selected_action=[one, three], select_across="0")] == [
        *("id", str(three), str(one))
    ]
    assert [row[0] for row in export(staff, "?q=two")] == ["id", str(three), str(two)]


def test_an_export_is_read_in_batches(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export must read bounded batches by id, without ``OFFSET``."""
    monkeypatch.setattr(exports, "BATCH_SIZE", 2)
    ids = [TaskFactory.create().id for _ in range(5)]

    with CaptureQueriesContext(connection) as captured:
        rows = export(staff)

    assert [row[0] for row in rows[1:]] == [str(task) for task in reversed(ids)]
    batches = [sql for query in captured if (sql := str(query["sql"])).endswith("LIMIT 2")]
    assert len(batches) == 4
    assert not [sql for sql in batches if "OFFSET" in sql]


def test_an_export_has_the_owners_e_mail_and_name(staff: Client) -> None:
    """With Better Auth's table, the file must contain the owners' e-mail addresses and names."""
    create_table()
    add_user("alice", "ada@example.com", "=Ada")
    TaskFactory.create(user_id="alice")
    TaskFactory.create(user_id="nobody")

    rows = export(staff)

    assert rows[0] == [*HEAD, "owner_email", "owner_name"]
    assert [row[7:] for row in rows[1:]] == [["", ""], ["ada@example.com", "'=Ada"]]


def test_a_formula_is_defused(staff: Client) -> None:
    """A spreadsheet must never evaluate text from users."""
    texts = [
        *["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1+1", "\u3000=1+1"],
        *["\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "=cmd|' /C calc'!A0", "'quoted'"],
    ]
    for text in texts:
        TaskFactory.create(user_id=text, title=text, description=text)

    [_, *rows] = export(staff)

    assert [row[1:4] for row in reversed(rows)] == [[f"'{text}"] * 3 for text in texts]


@pytest.mark.parametrize("delimiter", [";", "\t", "\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028"])
def test_a_formula_is_defused_in_every_part_of_a_text(staff: Client, delimiter: str) -> None:
    """A spreadsheet that splits at another delimiter than the comma must evaluate nothing."""
    formulas = ["=1+1", " +1", '"=1+1', '""@SUM(A1)', "\uff1d1+1", "'quoted'"]
    text = delimiter.join(["Buy milk", *formulas, "", "1-2"])
    TaskFactory.create(user_id=text, title=text, description=text)

    [_, row] = export(staff)

    defused_text = delimiter.join(["Buy milk", *(f"'{each}" for each in formulas), "", "1-2"])
    assert row[1:4] == [defused_text] * 3


@given(st.text("=+-@;,\t\n\r\"' a1"), st.sampled_from(";\t"))
def test_no_other_delimiter_makes_a_formula(text: str, delimiter: str) -> None:
    """A spreadsheet that splits the file's lines elsewhere must find no cell with a formula."""
    file = io.StringIO(newline="")
    csv.writer(file).writerow(["1", defused(text), "true"])

    for row in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter):
        assert not [cell for cell in row if cell.lstrip().startswith(exports.FORMULA_SIGNS)]


def test_other_texts_are_unchanged() -> None:
    """Text that is not a formula must not be changed."""
    texts = ["Buy milk", "1-2", "a=b", "", "me@example.com", " x", "a; b\n\tc", 'say "-"']

    assert [defused(text) for text in texts] == texts


@given(st.text() | st.text("=+-@;,\t\n\r\"' a1"))
def test_defusing_can_be_undone(text: str) -> None:
    """Removing one leading apostrophe from each part of a cell must restore the text."""
    parts = exports.DELIMITERS.split(defused(text))

    assert "".join(part.removeprefix("'") for part in parts) == text
