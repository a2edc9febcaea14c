"""The admin's task list: columns, filters, search and pagination."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.templatetags.admin_list import result_headers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasks.models import Task
from tasks.staff import lists
from tasks.staff.lists import Estimate
from tasks.tests.better_auth import add_user, create_table, execute
from tasks.tests.factories import TaskFactory
from todo_project.tests.staff import superuser_client

LIST = "/admin/tasks/task/"
EVENING = datetime(2026, 11, 30, 17, 20, 5, 123456, tzinfo=UTC)


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser."""
    return superuser_client()


def shown(response: Any) -> list[int]:
    """Return the ids of the tasks on a page, in order."""
    assert response.status_code == 200
    return [task.pk for task in response.context["cl"].result_list]


def columns(response: Any) -> list[str]:
    """Return the column headers of the list, without the checkbox column."""
    return [str(header["text"]) for header in result_headers(response.context["cl"])][1:]


def find(staff: Client, text: str) -> list[str]:
    """Return the titles of the tasks that a search finds, in the order of the tasks' ids."""
    response = staff.get(LIST, {"q": text})
    assert response.status_code == 200
    return [task.title for task in reversed(response.context["cl"].result_list)]


def add(user_id: str, *titles: str) -> None:
    """Create tasks for a user."""
    for title in titles:
        TaskFactory.create(user_id=user_id, title=title)


def test_every_registered_model_has_its_pages(staff: Client) -> None:
    """Every list page must work; the add page must return a 403 if adding is not allowed."""
    statuses, expected = {}, {}

    for model, options in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        listed, adding = staff.get(address), staff.get(f"{address}add/")
        statuses[model] = (listed.status_code, adding.status_code)
        expected[model] = (200, 200 if options.has_add_permission(adding.wsgi_request) else 403)

    assert statuses == expected


def test_the_list_shows_the_tasks_newest_first(staff: Client) -> None:
    """All users' tasks must be listed, newest first, with their id, title and owner."""
    tasks = [TaskFactory.create(user_id=owner, title=f"{owner}'s") for owner in ("alice", "bob")]

    response = staff.get(LIST)

    assert shown(response) == [task.id for task in reversed(tasks)]
    assert columns(response) == [*("id", "title", "Owner", "completed", "created at", "updated at")]
    for text in (b"alice&#x27;s", b"bob&#x27;s", str(tasks[0].id).encode()):
        assert text in response.content


@pytest.mark.parametrize(("page", "times"), [("", 2), ("{id}/change/", 2), ("{id}/history/", 1)])
def test_every_page_shows_times_in_one_form(staff: Client, page: str, times: int) -> None:
    """A time must be shown with its seconds and its zone."""
    task = TaskFactory.create()
    staff.post(f"{LIST}{task.id}/change/", {"title": "Changed"})
    Task.objects.update(created_at=EVENING, updated_at=EVENING)
    LogEntry.objects.update(action_time=EVENING)

    response = staff.get(LIST + page.format(id=task.id))

    assert response.content.count(b"2026-11-30 17:20:05 UTC<") == times
    assert b"Nov" not in response.content


def test_titles_and_owners_are_escaped(staff: Client) -> None:
    """Text from users must never be interpreted as HTML."""
    add("<i>alice</i>", "<script>alert(1)</script>")

    response = staff.get(LIST)

    assert b"<script>alert" not in response.content
    assert b"<i>alice" not in response.content


def test_only_the_id_can_be_sorted_by(staff: Client) -> None:
    """The list must ignore any other ordering, which would sort the whole table."""
    tasks = [TaskFactory.create(title=title).id for title in ("b", "a", "c")]

    assert shown(staff.get(LIST, {"o": "1"})) == tasks
    assert shown(staff.get(LIST, {"o": "2"})) == tasks[::-1]


def test_filters_select_by_state_and_age(staff: Client) -> None:
    """The list must be filterable by ``completed`` and ``created_at``."""
    now = timezone.now()
    done, open_ = (TaskFactory.create(completed=completed).id for completed in (True, False))
    old = TaskFactory.create(completed=False).id
    Task.objects.filter(pk=old).update(created_at=now - timedelta(days=400))
    choices = staff.get(LIST).context["cl"].filter_specs[1].links

    assert shown(staff.get(LIST, {"completed__exact": "1"})) == [done]
    assert shown(staff.get(LIST, {"completed__exact": "0"})) == [old, open_]
    assert [label for label, _ in choices] == [
        *("Any date", "Today", "Past 7 days", "This month", "This year")
    ]
    for _, condition in choices[1:]:
        assert shown(staff.get(LIST, condition)) == [open_, done]


def test_other_lookups_in_the_query_string_are_rejected(staff: Client) -> None:
    """Only the lookups that the filters use may reach the database."""
    lookups = ["title__regex", "user_id__startswith", "id__gt", "nothing", "created_at__regex"]

    responses = [staff.get(LIST, {lookup: "(a+)+$"}) for lookup in lookups]

    assert [response.status_code for response in responses] == [400] * 5
    assert {response["Content-Type"] for response in responses} == {"text/html; charset=utf-8"}


def test_search_finds_an_owner_by_exact_id(staff: Client) -> None:
    """A search for an owner's id must find only that owner's tasks, not those of similar ids."""
    add("user-1", "One", "Two")
    add("user-10", "user-1 is in this title")
    add("User-1", "Upper")

    assert find(staff, "user-1") == ["One", "Two"]
    assert find(staff, " user-10 ") == ["user-1 is in this title"]


def test_search_finds_words_of_the_title(staff: Client) -> None:
    """A search must find titles that contain all words, in any order and case, on SQLite too."""
    add("alice", "Buy oat milk", "Milk the cow", "Call alice", "\u00c4pfel", "\u041c\u043e\u043b")
    add("alice", "Don't let the cat out, it can't climb", "Let the dog out")
    expected = {
        "MILK": ["Buy oat milk", "Milk the cow"],
        "milk buy": ["Buy oat milk"],
        '"oat milk"': ["Buy oat milk"],  # only double quotes make a phrase
        '"milk oat"': [],
        '"alice"': ["Call alice"],  # a quoted word is never an id
        "cheese": [],
        "\u00e4PFEL": ["\u00c4pfel"],
        "\u043c\u041e\u041b": ["\u041c\u043e\u043b"],
        "can't don't": ["Don't let the cat out, it can't climb"],
        "'let": [],
        "\0": find(staff, ""),  # NUL cannot be stored; Django removes it
    }

    assert {text: find(staff, text) for text in expected} == expected


def test_search_is_literal(staff: Client) -> None:
    """No character of a search may act as a wildcard."""
    texts = ["100%", "a_b", "c\\d", "'", '"', "\u00e9", "\u00a7%"]
    add("alice", "100 aXb cd", *(f"has {text} in it" for text in texts))

    assert {text: find(staff, text) for text in texts} == {t: [f"has {t} in it"] for t in texts}


def test_owners_are_shown_and_found_by_e_mail_and_name(staff: Client) -> None:
    """With Better Auth's table, owners' e-mail addresses and names must be shown and searchable."""
    create_table()
    add_user("1", "ada@example.com", "Ada Lovelace")
    add_user("2", "grace@example.com", "Grace Hopper")
    add("1", "Buy milk")
    add("2", "Call Ada")
    add("3", "Write to ada@example.com")
    expected = {
        "Ada@Example.com": ["Buy milk"],
        "@example.com": ["Buy milk", "Call Ada"],
        "ada lovelace": ["Buy milk"],
        "ada": ["Buy milk", "Call Ada", "Write to ada@example.com"],
        "hopper": ["Call Ada"],
        "@nowhere": [],
    }

    response = staff.get(LIST)

    assert all(text in response.content for text in (b"ada@example.com", b"Ada Lovelace"))
    assert columns(response)[3:5] == ["E-mail", "Name"]
    assert {text: find(staff, text) for text in expected} == expected


def statements(staff: Client, **query: Any) -> list[str]:
    """Open the list and return the SQL statements that it executed."""
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(LIST, query).status_code == 200
    return [str(each["sql"]) for each in captured if "SAVEPOINT" not in str(each["sql"])]


def test_the_number_of_queries_does_not_depend_on_the_number_of_tasks(staff: Client) -> None:
    """Tasks and owners must not be read one by one."""
    create_table()
    add("alice", "One")
    few = statements(staff)
    for number in range(20):
        add(f"user{number}", "More")

    assert len(statements(staff)) == len(few) == 7


def test_a_text_search_is_executed_once(staff: Client) -> None:
    """One statement must find and count the results; they are then read by id."""
    add("alice", "Buy milk", "Buy bread")

    operators = ("LIKE", "REGEXP")
    searches = [
        sql
        for sql in statements(staff, q="milk")
        if any(operator in sql for operator in operators) and "IN (" not in sql
    ]
    assert len(searches) == 1


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Create eight tasks, with pages of three and exact counts up to five."""
    monkeypatch.setattr(lists, "MAX_COUNTED", 5)
    monkeypatch.setattr(admin.site._registry[Task], "list_per_page", 3)
    for number in range(8):
        TaskFactory.create(title=str(number))
    if connection.vendor == "postgresql":
        execute("ANALYZE task")


@pytest.mark.usefixtures("_many")
def test_every_page_of_a_long_list_can_be_opened(staff: Client) -> None:
    """The pages must show each task once, even beyond the exact count."""
    pages = [shown(staff.get(LIST, {"p": page})) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [3, 3, 2]
    assert [*pages[0], *pages[1], *pages[2]] == list(
        Task.objects.order_by("-pk").values_list("pk", flat=True)
    )


@pytest.mark.postgresql
@pytest.mark.usefixtures("_many")
def test_a_long_list_is_not_counted(staff: Client) -> None:
    """No statement may count all rows; the page must mark the number as an estimate."""
    response = staff.get(LIST)

    assert b"about 8 tasks" in response.content
    assert not [sql for sql in statements(staff) if "COUNT(" in sql.upper()]


@pytest.mark.usefixtures("_many")
def test_a_short_result_is_counted_exactly(staff: Client) -> None:
    """A short result must be counted exactly; the lowest estimate must read "more than"."""
    response = staff.get(LIST, {"q": "7"})

    assert (response.context["cl"].result_count, b"about" in response.content) == (1, False)
    assert (str(Estimate(6)), str(Estimate(7))) == ("more than 5", "about 7")


def test_a_page_beyond_the_last_shows_the_first(staff: Client) -> None:
    """An outdated page number must show the first page."""
    add("alice", "Buy milk")

    assert len(shown(staff.get(LIST, {"p": "7"}))) == 1
