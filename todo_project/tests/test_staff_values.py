"""Addresses and forms that no page of the admin contains (docs/admin.md, "Security")."""

import io
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.serializers import serialize
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from tasks.models import Task
from tasks.tests.factories import TaskFactory
from todo_project.staff.pages import CONTENT_SECURITY_POLICY, INVALID_VALUE_ERRORS, staff_page
from todo_project.tests.staff import superuser_client

TASKS, USERS, GROUPS = "/admin/tasks/task/", "/admin/auth/user/", "/admin/auth/group/"
LISTS: dict[str, Any] = {TASKS: Task, USERS: User, GROUPS: Group}
HUGE_ID = 10**20
# Lookups that no filter uses; Django would send them to the database
FOREIGN_LOOKUPS = [
    f"{USERS}?date_joined__gte=9999-12-31 23:59:59-14:00",
    f"{USERS}?date_joined__year=99999",
    f"{USERS}?pk__in={2**63}",
    f"{USERS}?id__range=1",
    f"{USERS}?username=%00",
    f"{USERS}?username__startswith=%00",
    f"{USERS}?username__regex=(",
    f"{USERS}?password__startswith=a",
    f"{GROUPS}?pk__in={2**63}",
    f"{GROUPS}?name=%00",
]
REPEATED = [
    f"{TASKS}?{'completed__exact=1&' * 2000}",
    f"{TASKS}?completed__exact=1&completed__exact=0",
    f"{USERS}?{'is_staff__exact=1&' * 2000}",
]
FORGED_FORMS: list[tuple[str, dict[str, Any]]] = [
    *((path, {"action": "delete_selected", "_selected_action": "x"}) for path in (USERS, GROUPS)),
    *((path, {"action": "delete_selected", "_selected_action": HUGE_ID}) for path in LISTS),
    (f"{USERS}add/", {"username": "eve\0"}),
    (f"{GROUPS}add/", {"name": "eve", "permissions": [HUGE_ID, "x"]}),
    (f"{GROUPS}add/", {"name": "eve", "permissions": [HUGE_ID]}),
    (f"{USERS}{{id}}/change/", {"username": "eve", "groups": [HUGE_ID]}),
    (f"{USERS}{{id}}/change/", {"username": "eve", "user_permissions": [HUGE_ID]}),
]


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser, which does not raise the server's exceptions."""
    client = superuser_client()
    client.raise_request_exception = False
    return client


def everything() -> str:
    """Return what the lists show, except the time of the last login."""
    Group.objects.get_or_create(name="editors")
    return "".join(serialize("json", model.objects.order_by("pk")) for model in LISTS.values())


@pytest.mark.parametrize("path", [*FOREIGN_LOOKUPS, *REPEATED], ids=lambda path: path[:60])
def test_a_lookup_that_no_filter_uses_is_refused(staff: Client, path: str) -> None:
    """It must not reach the database, where it can be an error or look like an outage."""
    answer = staff.get(path)

    assert (answer.status_code, b"<h1>Bad request</h1>" in answer.content) == (400, True)
    assert answer["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", LISTS)
def test_every_link_of_a_filter_works(staff: Client, path: str) -> None:
    """The refusals must not affect the links of the page, with a search and a page number too."""
    Group.objects.create(name="editors")
    page = staff.get(path)
    changes = page.context["cl"]
    links = [
        choice["query_string"]
        for filter_ in changes.filter_specs
        for choice in filter_.choices(changes)
    ]

    statuses = {link: staff.get(f"{path}{link}&q=a&o=1&p=1").status_code for link in links}
    assert statuses == dict.fromkeys(links, 200)
    assert bool(links) == bool(admin.site._registry[LISTS[path]].list_filter)


@pytest.mark.parametrize("lookup", ["created_at__gte", "created_at__lt"])
def test_a_time_that_cannot_be_stored_is_no_fault_of_the_service(
    staff: Client, lookup: str
) -> None:
    """SQLite stores UTC, in which this time is after the year 9999; PostgreSQL can compare it."""
    answer = staff.get(TASKS, {lookup: "9999-12-31 23:59:59-14:00"})

    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("page", ["change", "delete"])
def test_the_name_of_a_field_must_not_be_empty(staff: Client, page: str) -> None:
    """Django checks only other names, and fails with this one."""
    answer = staff.get(f"{TASKS}{TaskFactory.create().id}/{page}/", {"_to_field": ""})

    assert answer.status_code == 400


@pytest.mark.parametrize(("path", "form"), FORGED_FORMS)
def test_a_forged_form_changes_nothing(
    staff: Client, path: str, form: dict[str, Any], log: io.StringIO
) -> None:
    """It must get a 400 or the form again, and one line in the log beside the request's at most."""
    TaskFactory.create()
    account = User.objects.get(username="boss")
    before = everything()
    log.truncate(0)

    answer = staff.post(path.format(id=account.pk), form)

    assert answer.status_code in (200, 302, 400)
    assert everything() == before
    assert len(log.getvalue().splitlines()) <= 2


@pytest.mark.parametrize("term", ["a", " ".join(map(str, range(1200)))], ids=["short", "long"])
def test_the_search_without_a_page_is_not_served(staff: Client, term: str) -> None:
    """Django's search for a form's choices has no limits, and no form uses it."""
    choices = {"app_label": "auth", "model_name": "user", "field_name": "groups"}

    answer = staff.get("/admin/autocomplete/", {"term": term, **choices})

    assert answer.status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("error", INVALID_VALUE_ERRORS)
@pytest.mark.parametrize(("method", "query"), [("GET", "?a=b"), ("POST", "")])
def test_a_value_that_is_refused_later_is_logged_without_it(
    log: io.StringIO, error: type[Exception], method: str, query: str
) -> None:
    """The page must be a 400; one line must say where, and quote nothing."""

    def view(request: HttpRequest) -> HttpResponse:
        raise error("hunter2 is invalid")

    answer = staff_page(view)(RequestFactory().generic(method, f"/{query}"))

    [line] = log.getvalue().splitlines()
    assert (answer.status_code, answer["Content-Security-Policy"]) == (400, CONTENT_SECURITY_POLICY)
    assert f"invalid: {error.__name__} in test_staff_values.py:" in line
    assert "hunter2" not in line


@pytest.mark.django_db
def test_without_values_such_an_error_is_a_fault_of_the_service(log: io.StringIO) -> None:
    """A page whose address holds no value must be a 500, with a traceback in the log."""

    def view(request: HttpRequest) -> HttpResponse:
        raise DataError("the page is wrong")

    answer = staff_page(view)(RequestFactory().get("/"))

    assert answer.status_code == 500
    assert "the page is wrong" in log.getvalue()
