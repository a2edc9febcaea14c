"""The list of tasks in the admin: what it shows and finds."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_headers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasks.models import Task
from tasks.staff import lists
from tasks.staff.lists import About
from tasks.tests.better_auth import add_user, create_table, execute
from tasks.tests.factories import TaskFactory
from todo_project.tests.staff import boss

LIST = "/admin/tasks/task/"


@pytest.fixture
def staff(db: None) -> Client:
    """Sign somebody in who may do everything."""
    return boss()


def shown(answer: Any) -> list[int]:
    """Return the ids of the tasks on a page, in its order."""
    assert answer.status_code == 200
    return [task.pk for task in answer.context["cl"].result_list]


def columns(answer: Any) -> list[str]:
    """Return the heads of the list's columns, without that of the boxes."""
    return [str(header["text"]) for header in result_headers(answer.context["cl"])][1:]


def find(staff: Client, text: str) -> list[str]:
    """Return the titles of what a search finds, by id."""
    answer = staff.get(LIST, {"q": text})
    assert answer.status_code == 200
    return [task.title for task in reversed(answer.context["cl"].result_list)]


def add(user_id: str, *titles: str) -> None:
    """Give somebody tasks."""
    for title in titles:
        TaskFactory.create(user_id=user_id, title=title)


def test_every_registered_model_has_its_pages(staff: Client) -> None:
    """No page of the admin may fail; a model that nobody may add to has no page to add."""
    statuses, expected = {}, {}

    for model, options in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        listed, adding = staff.get(address), staff.get(f"{address}add/")
        statuses[model] = (listed.status_code, adding.status_code)
        expected[model] = (200, 200 if options.has_add_permission(adding.wsgi_request) else 403)

    assert statuses == expected


def test_the_list_shows_the_tasks_newest_first(staff: Client) -> None:
    """Everybody's tasks must be there, with what tells them apart."""
    tasks = [TaskFactory.create(user_id=owner, title=f"{owner}'s") for owner in ("alice", "bob")]

    answer = staff.get(LIST)

    assert shown(answer) == [task.id for task in reversed(tasks)]
    assert columns(answer) == [
        *("id", "title", "Owner", "completed", "Created (UTC)", "Updated (UTC)")
    ]
    for text in (b"alice&#x27;s", b"bob&#x27;s", str(tasks[0].id).encode()):
        assert text in answer.content


def test_a_title_cannot_become_part_of_the_page(staff: Client) -> None:
    """What users write must be shown and never run."""
    add("<i>alice</i>", "<script>alert(1)</script>")

    answer = staff.get(LIST)

    assert b"<script>alert" not in answer.content
    assert b"<i>alice" not in answer.content


def test_only_the_id_can_be_sorted_by(staff: Client) -> None:
    """Another order would sort a million tasks for one page."""
    tasks = [TaskFactory.create(title=title).id for title in ("b", "a", "c")]

    assert shown(staff.get(LIST, {"o": "1"})) == tasks
    assert shown(staff.get(LIST, {"o": "2"})) == tasks[::-1]


def test_the_filters_keep_what_they_say(staff: Client) -> None:
    """Staff must be able to narrow the list down by state and by age."""
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


def test_other_conditions_in_the_address_are_refused(staff: Client) -> None:
    """A link may not make the database work through a condition that no filter has."""
    lookups = ["title__regex", "user_id__startswith", "id__gt", "nothing", "created_at__regex"]

    answers = [staff.get(LIST, {lookup: "(a+)+$"}) for lookup in lookups]

    assert [answer.status_code for answer in answers] == [400] * 5
    assert {answer["Content-Type"] for answer in answers} == {"text/html; charset=utf-8"}


def test_a_search_finds_an_owner_by_the_exact_id(staff: Client) -> None:
    """An id must find its owner's tasks, and no other's, however alike."""
    add("user-1", "One", "Two")
    add("user-10", "user-1 is in this title")
    add("User-1", "Upper")

    assert find(staff, "user-1") == ["One", "Two"]
    assert find(staff, " user-10 ") == ["user-1 is in this title"]


def test_a_search_finds_words_of_the_title(staff: Client) -> None:
    """Each word must be in it, in any order and case, of every language, on SQLite too."""
    add("alice", "Buy oat milk", "Milk the cow", "Call alice", "\u00c4pfel", "\u041c\u043e\u043b")
    add("alice", "Don't let the cat out, it can't climb", "Let the dog out")
    expected = {
        "MILK": ["Buy oat milk", "Milk the cow"],
        "milk buy": ["Buy oat milk"],
        '"oat milk"': ["Buy oat milk"],  # only double quotes keep words together
        '"milk oat"': [],
        '"alice"': ["Call alice"],  # what looks like an id may be quoted
        "cheese": [],
        "\u00e4PFEL": ["\u00c4pfel"],
        "\u043c\u041e\u041b": ["\u041c\u043e\u043b"],
        "can't don't": ["Don't let the cat out, it can't climb"],
        "'let": [],
        "\0": find(staff, ""),  # which cannot be stored, and is left out
    }

    assert {text: find(staff, text) for text in expected} == expected


def test_a_search_is_taken_literally(staff: Client) -> None:
    """No character may be a wildcard."""
    texts = ["100%", "a_b", "c\\d", "'", '"', "\u00e9", "\u00a7%"]
    add("alice", "100 aXb cd", *(f"has {text} in it" for text in texts))

    assert {text: find(staff, text) for text in texts} == {t: [f"has {t} in it"] for t in texts}


def test_owners_are_shown_and_found_where_better_auth_knows_them(staff: Client) -> None:
    """Staff know people, and are asked by them, with their address and name."""
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

    answer = staff.get(LIST)

    assert all(text in answer.content for text in (b"ada@example.com", b"Ada Lovelace"))
    assert columns(answer)[3:5] == ["E-mail", "Name"]
    assert {text: find(staff, text) for text in expected} == expected


def statements(staff: Client, **query: Any) -> list[str]:
    """Open the list, and return what it asked of the database."""
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(LIST, query).status_code == 200
    return [str(each["sql"]) for each in captured if "SAVEPOINT" not in str(each["sql"])]


def test_a_page_costs_the_same_however_many_tasks_it_has(staff: Client) -> None:
    """Neither tasks nor owners may be read one by one."""
    create_table()
    add("alice", "One")
    few = statements(staff)
    for number in range(20):
        add(f"user{number}", "More")

    assert len(statements(staff)) == len(few) == 7


def test_a_dear_search_is_made_once(staff: Client) -> None:
    """Its results must be counted by the statement that finds them, and then be read by ids."""
    add("alice", "Buy milk", "Buy bread")

    looks = ("LIKE", "REGEXP")
    dear = [
        sql
        for sql in statements(staff, q="milk")
        if any(look in sql for look in looks) and "IN (" not in sql
    ]
    assert len(dear) == 1


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Take eight tasks for many, and three for a page."""
    monkeypatch.setattr(lists, "MAX_COUNTED", 5)
    monkeypatch.setattr(admin.site._registry[Task], "list_per_page", 3)
    for number in range(8):
        TaskFactory.create(title=str(number))
    if connection.vendor == "postgresql":
        execute("ANALYZE task")


@pytest.mark.usefixtures("_many")
def test_every_page_of_a_long_list_can_be_turned_to(staff: Client) -> None:
    """The pages must show each task once, also beyond what is counted."""
    pages = [shown(staff.get(LIST, {"p": page})) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [3, 3, 2]
    assert [*pages[0], *pages[1], *pages[2]] == list(
        Task.objects.order_by("-pk").values_list("pk", flat=True)
    )


@pytest.mark.postgresql
@pytest.mark.usefixtures("_many")
def test_a_long_list_is_not_counted(staff: Client) -> None:
    """No statement may count everything; the page must say that it is an estimate."""
    answer = staff.get(LIST)

    assert b"about 8 tasks" in answer.content
    assert not [sql for sql in statements(staff) if "COUNT(" in sql.upper()]


@pytest.mark.usefixtures("_many")
def test_a_number_is_never_below_what_was_read(staff: Client) -> None:
    """A short result must be exact, and no estimate less than what an action would change."""
    answer = staff.get(LIST, {"q": "7"})

    assert (answer.context["cl"].result_count, b"about" in answer.content) == (1, False)
    assert (str(About(6)), str(About(7))) == ("more than 5", "about 7")


def test_a_page_beyond_the_last_is_the_first(staff: Client) -> None:
    """An address that leads nowhere must lead back."""
    add("alice", "Buy milk")

    assert len(shown(staff.get(LIST, {"p": "7"}))) == 1
