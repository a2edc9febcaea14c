"""A task in the admin: create, edit, delete, and the log entries."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.test import Client

from conftest import ApiClient
from tasks.models import Task, TaskRow
from tasks.staff.forms import TaskForm
from tasks.tests.better_auth import add_user, create_table
from tasks.tests.factories import rows
from todo_project.tests.staff import superuser_client

LIST = "/admin/tasks/task/"
ADD = f"{LIST}add/"
MILK = {"user_id": "alice", "title": "Buy milk", "description": "", "completed": ""}


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser."""
    return superuser_client()


@pytest.fixture
def task(db: None) -> TaskRow:
    """Create a task for Alice."""
    return Task.objects.add(user_id="alice", title="Buy milk", description="Two\nlitres")


def edit(staff: Client, task: TaskRow, **changed: Any) -> Any:
    """Submit a task's form as a browser does, with these fields changed."""
    shown = {"title": task.title, "description": task.description or ""}
    sent = {
        name: value.replace("\r\n", "\n").replace("\n", "\r\n") if isinstance(value, str) else value
        for name, value in {**shown, **changed}.items()
    }
    return staff.post(f"{LIST}{task.id}/change/", sent)


def stored(task: TaskRow) -> TaskRow:
    """Read a task from the database."""
    row = Task.objects.filter(pk=task.id).row()
    assert row is not None
    return row


def problems(response: Any) -> dict[str, list[str]]:
    """Return the error messages of a form, by field."""
    assert response.status_code == 200
    form = response.context["adminform"].form
    return {name: list(messages) for name, messages in form.errors.items()}


def test_an_edit_writes_the_changed_fields(staff: Client, task: TaskRow) -> None:
    """An edit must be saved and increase ``updated_at``, even if the clock is behind."""
    future = datetime(2200, 1, 1, tzinfo=UTC)
    Task.objects.filter(pk=task.id).update(updated_at=future)

    response = edit(staff, task, title="Buy oat milk", completed="on")

    changed = stored(task)
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert changed == task._replace(
        title="Buy oat milk", completed=True, updated_at=changed.updated_at
    )
    assert Task.objects.get().updated_at > future


def test_an_edit_changes_the_etag(staff: Client, task: TaskRow, alice: ApiClient) -> None:
    """An edit must change the ETag (docs/contract.md, "Extensions")."""
    path = f"/api/alice/tasks/{task.id}"
    before = alice.get(path)["ETag"]

    edit(staff, task, completed="on")

    after = alice.get(path)
    assert after["ETag"] != before
    assert after.json()["completed"] is True


def test_an_edit_keeps_a_concurrent_change_of_another_field(staff: Client) -> None:
    """An edit must write only the changed fields (docs/contract.md, "Concurrency")."""
    for concurrent in (
        {"completed": True},
        {"description": "Three\nlitres"},
        {"description": None},
    ):
        task = Task.objects.add(user_id="alice", title="Buy milk", description="Two\nlitres")
        page = staff.get(f"{LIST}{task.id}/change/").content.decode()
        shown = dict(re.findall(r'name="(initial-\w+)" value="([^"]*)"', page))
        users = Task.objects.filter(pk=task.id).change(**concurrent)

        edit(staff, task, title="Buy oat milk", **shown)

        assert users is not None
        changed = stored(task)
        assert changed == users._replace(title="Buy oat milk", updated_at=changed.updated_at)


def test_the_initial_value_of_a_field_with_two_inputs_is_recognised(task: TaskRow) -> None:
    """A field may be edited with several inputs, as a datetime is."""

    class Form(TaskForm):
        due = forms.SplitDateTimeField(required=False)

    instance = Task.objects.get(pk=task.id)
    sent = {"due_0": "2026-01-06", "due_1": "15:30"}
    shown = {"initial-due_0": "2026-01-06", "initial-due_1": "15:30"}

    assert "due" not in Form({**sent, **shown}, instance=instance).changed_data
    assert "due" in Form({**sent, **shown, "due_1": "16:00"}, instance=instance).changed_data
    assert "due" in Form(sent, instance=instance).changed_data


def test_a_cleared_checkbox_is_written(staff: Client) -> None:
    """A cleared checkbox must be stored, with and without the form's initial values."""
    for shown in ({"initial-completed": "True", "initial-title": "Buy milk"}, {}):
        task = Task.objects.add(user_id="alice", title="Buy milk", completed=True)

        edit(staff, task, **shown)

        assert stored(task).completed is False


def test_an_unchanged_form_writes_nothing(staff: Client) -> None:
    """Submitting an unchanged form must write nothing, although browsers send CRLF."""
    texts = [
        *[(" spaces ", " \n "), ("Two\nlines", "a\r\nb\rc\nd"), ("Tab\tand more", "")],
        *[("Buy milk", None), ("\n", "x"), ("", "an old row")],
    ]
    tasks = [Task.objects.add(user_id="alice", title=t, description=d) for t, d in texts]

    responses = [edit(staff, task) for task in tasks]

    assert [response.status_code for response in responses] == [302] * 6
    assert [stored(task) for task in tasks] == tasks


def test_a_description_is_stored_as_typed(staff: Client, task: TaskRow) -> None:
    """White space must be kept, and an empty text become ``null`` (docs/contract.md, "A task")."""
    found = []
    for typed in (" one\ntwo ", ""):
        edit(staff, task, description=typed)
        found.append(stored(task).description)

    assert found == [" one\ntwo ", None]


AT_LEAST_1 = "ensure this value has at least 1 characters"
NULLS = "Null characters are not allowed."
REFUSED = [
    ({"title": ""}, {"title": [AT_LEAST_1]}),
    ({"title": " \u3000"}, {"title": [AT_LEAST_1]}),
    ({"title": "x" * 201}, {"title": ["ensure this value has at most 200 characters"]}),
    (
        {"description": "x" * 1001},
        {"description": ["ensure this value has at most 1000 characters"]},
    ),
    ({"title": "a\0b"}, {"title": [NULLS]}),
    ({"description": "a\0b"}, {"description": [NULLS]}),
]
REFUSED_OWNERS = [
    ({"user_id": ""}, {"user_id": ["This field is required."]}),
    ({"user_id": "a\0b"}, {"user_id": [NULLS]}),
    (
        {"user_id": "x" * 256},
        {"user_id": ["Ensure this value has at most 255 characters (it has 256)."]},
    ),
]


def test_an_edit_obeys_the_rules_of_the_api(staff: Client, task: TaskRow) -> None:
    """An edit that breaks the API's rules must be rejected and change nothing."""
    responses = [(sent, problems(edit(staff, task, **sent))) for sent, _ in REFUSED]

    assert responses == REFUSED
    assert stored(task) == task
    assert not LogEntry.objects.exists()


def test_a_new_task_obeys_the_rules_of_the_api(staff: Client) -> None:
    """A new task that breaks the API's rules must be rejected and not be created."""
    refused = [*REFUSED, *REFUSED_OWNERS]

    responses = [(sent, problems(staff.post(ADD, {**MILK, **sent}))) for sent, _ in refused]

    assert responses == refused
    assert rows() == []


def test_staff_create_a_task_on_behalf_of_a_user(staff: Client, alice: ApiClient) -> None:
    """A task created by staff must appear in the owner's list."""
    response = staff.post(ADD, {**MILK, "description": "Two litres"})

    [task] = alice.get("/api/alice/tasks").json()
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert (task["title"], task["description"], task["completed"]) == (
        *("Buy milk", "Two litres", False),
    )
    assert task["created_at"] == task["updated_at"]


def test_the_longest_texts_are_accepted(staff: Client) -> None:
    """The limits must count characters, not bytes."""
    letter = "\N{PILE OF POO}"
    response = staff.post(
        ADD, {"user_id": letter * 255, "title": letter * 200, "description": letter * 1000}
    )

    assert response.status_code == 302
    assert len(Task.objects.get().description or "") == 1000


def test_the_form_shows_owner_id_and_times_as_read_only(staff: Client, task: TaskRow) -> None:
    """The owner, id and times must be shown but must not be form fields."""
    create_table()
    add_user("alice", "ada@example.com", "Ada Lovelace")
    response = staff.get(f"{LIST}{task.id}/change/")

    texts = ["alice", "ada@example.com", "Ada Lovelace", str(task.id), str(task.created_at.year)]
    assert list(response.context["adminform"].form.fields) == ["title", "description", "completed"]
    assert [text for text in texts if text not in response.content.decode()] == []


def test_owner_id_and_times_cannot_be_changed(staff: Client, task: TaskRow) -> None:
    """Submitted values of read-only fields must be ignored."""
    edit(staff, task, title="Buy oat milk", user_id="bob", id="7", created_at="2020-01-01")

    changed = stored(task)
    assert (changed.user_id, changed.created_at) == (task.user_id, task.created_at)
    assert Task.objects.count() == 1


def test_editing_a_task_that_has_been_deleted_returns_404(
    staff: Client, task: TaskRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit that was not saved must not be reported or logged as saved."""
    monkeypatch.setattr("tasks.models.TaskQuerySet.change", lambda self, **values: None)

    assert edit(staff, task, title="Buy oat milk").status_code == 404
    assert not LogEntry.objects.exists()


def test_an_unknown_task_redirects_to_the_index(staff: Client) -> None:
    """An outdated link must redirect to the admin index, not fail."""
    pages = [staff.get(f"{LIST}{task_id}/change/") for task_id in ("0", "7", "abc", "9" * 30)]

    assert [page["Location"] for page in pages] == ["/admin/"] * 4


def test_create_edit_and_delete_are_logged(staff: Client) -> None:
    """The admin log must record the account, the action and the task."""
    staff.post(ADD, MILK)
    task = stored(TaskRow(*rows()[0]))
    edit(staff, task, title="Buy oat milk")
    history = staff.get(f"{LIST}{task.id}/history/").content
    staff.post(f"{LIST}{task.id}/delete/", {"post": "yes"})

    entries = LogEntry.objects.order_by("pk")
    assert [entry.action_flag for entry in entries] == [ADDITION, CHANGE, DELETION]
    assert {(entry.object_id, entry.user.username) for entry in entries} == {(str(task.id), "boss")}
    assert json.loads(entries[1].change_message) == [{"changed": {"fields": ["Title"]}}]
    assert b"Changed Title." in history
    assert rows() == []
