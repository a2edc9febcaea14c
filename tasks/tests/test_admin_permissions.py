"""Permissions for tasks in the admin."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tasks.tests.factories import TaskFactory, rows
from todo_project.tests.staff import member, signed_in

LIST = "/admin/tasks/task/"
ACTIONS = {
    "mark_completed": "change",
    "mark_not_completed": "change",
    "delete_selected": "delete",
    "export_as_csv": "view",
}
NEW = {"user_id": "alice", "title": "New"}


@pytest.fixture
def task_id(db: None) -> int:
    """Create a task for Alice and return its id."""
    task_id: int = TaskFactory.create(title="Buy milk", completed=False).id
    return task_id


def offered(staff: Client) -> set[str]:
    """Return the actions that the list offers."""
    form = staff.get(LIST).context["action_form"]
    return {name for name, _ in form.fields["action"].choices if name} if form else set()


def attempts(staff: Client, task_id: int) -> list[Any]:
    """Send one request of each kind that changes tasks."""
    return [
        staff.post(f"{LIST}add/", NEW),
        staff.post(f"{LIST}{task_id}/change/", {"title": "Changed", "completed": "on"}),
        staff.post(f"{LIST}{task_id}/delete/", {"post": "yes"}),
        *(
            staff.post(LIST, {"action": name, "_selected_action": [task_id], "post": "yes"})
            for name, permission in ACTIONS.items()
            if permission != "view"
        ),
    ]


def test_view_permission_allows_no_change(task_id: int) -> None:
    """Staff with only the view permission must not be able to change anything."""
    staff = signed_in(member("viewer", "view"))
    before = rows()

    refusals = attempts(staff, task_id)

    assert offered(staff) == {"export_as_csv"}
    assert [response.status_code for response in refusals] == [403, 403, 403, 302, 302, 302]
    assert rows() == before
    assert not LogEntry.objects.exists()


def test_view_permission_allows_viewing_and_exporting(task_id: int) -> None:
    """Staff with only the view permission must get a read-only page and the export."""
    staff = signed_in(member("viewer", "view"))

    page = staff.get(f"{LIST}{task_id}/change/").content
    file = staff.post(LIST, {"action": "export_as_csv", "_selected_action": [task_id]})

    assert b"Buy milk" in page
    assert not [text for text in (b"<textarea", b'name="_save"') if text in page]
    assert b"Buy milk" in file.getvalue()


def test_each_permission_offers_its_actions(task_id: int) -> None:
    """The list must offer exactly the permitted actions."""
    actions = {
        "change": {"mark_completed", "mark_not_completed", "export_as_csv"},
        "delete": {"delete_selected", "export_as_csv"},
        "add": {"export_as_csv"},
    }

    assert {name: offered(signed_in(member(name, "view", name))) for name in actions} == actions


def test_staff_without_permissions_see_no_tasks(task_id: int) -> None:
    """``is_staff`` alone must not give access to tasks."""
    staff = signed_in(member())
    pages = ["", "add/", f"{task_id}/change/", f"{task_id}/history/", f"{task_id}/delete/"]

    responses = {page: staff.get(f"{LIST}{page}") for page in pages}

    assert {
        page: (response.status_code, b"Your account may not do this." in response.content)
        for page, response in responses.items()
    } == dict.fromkeys(pages, (403, True))


@pytest.mark.parametrize("values", [{"is_staff": False}, {"is_active": False}])
def test_removing_staff_status_takes_effect_at_once(task_id: int, values: dict[str, bool]) -> None:
    """A signed-in account must lose access when it is no longer active staff."""
    user = member("boss", is_superuser=True)
    staff = signed_in(user)
    type(user).objects.update(**values)
    before = rows()

    assert {response.status_code for response in attempts(staff, task_id)} == {302}
    assert rows() == before
