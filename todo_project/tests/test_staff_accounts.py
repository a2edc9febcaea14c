"""Staff accounts, and their entries in the admin log."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasks.models import Task
from todo_project.tests.staff import member, superuser_client

USERS = "/admin/auth/user/"
LIST = "/admin/tasks/task/"


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client that is logged in as a superuser."""
    return superuser_client()


@pytest.fixture
def grace(db: None) -> User:
    """Create an account with an entry in the admin log."""
    account = member()
    LogEntry.objects.create(user=account, object_id="1001", object_repr="Milk", action_flag=CHANGE)
    return account


def test_an_account_without_log_entries_can_be_deleted(staff: Client) -> None:
    """An account that was created by mistake must be removable."""
    account = member()
    shown = staff.get(f"{USERS}{account.pk}/delete/")
    answer = staff.post(f"{USERS}{account.pk}/delete/", {"post": "yes"})

    assert (shown.status_code, answer.status_code) == (200, 302)
    assert not User.objects.filter(pk=account.pk).exists()


def test_an_account_with_log_entries_cannot_be_deleted(staff: Client, grace: User) -> None:
    """The admin log must keep the entries of former staff."""
    action = {"action": "delete_selected", "_selected_action": [str(grace.pk)], "post": "yes"}
    answers = [
        staff.post(USERS, action),
        staff.post(f"{USERS}{grace.pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(b"the admin log has entries of this account" in each.content for each in answers)
    assert LogEntry.objects.filter(user=grace).count() == 1


def test_the_index_page_sorts_log_entries_by_id(staff: Client) -> None:
    """The latest of a million entries must be found with a database index."""
    Task.objects.add(user_id="alice", title="Buy milk")
    everything = {"_selected_action": "1", "select_across": "1"}
    staff.post(LIST, {"action": "mark_completed", **everything})
    with CaptureQueriesContext(connection) as captured:
        answer = staff.get("/admin/")

    [read] = [each["sql"] for each in captured if "django_admin_log" in each["sql"]]
    assert 'ORDER BY "django_admin_log"."id" DESC' in read
    assert b"Buy milk" in answer.content
