"""The list of tasks in the admin: what it shows and finds (issue "Staff and operators")."""

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


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
@pytest.mark.parametrize("page", ["changelist", "add"])
def test_every_registered_model_has_its_pages(staff: Client, model: Any, page: str) -> None:
    """No page of the admin may fail."""
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    answer = staff.get(address if page == "changelist" else f"{address}add/")

    assert answer.status_code == (200 if _may_add(answer, model) or page == "changelist" else 403)


def _may_add(answer: Any, model: Any) -> bool:
    return bool(admin.site._registry[model].has_add_permission(answer.wsgi_request))


def test_the_list_shows_the_tasks_newest_first(staff: Client) -> None:
    """Everybody's tasks must be there, with what tells them apart."""
    tasks = [TaskFactory.create(user_id=owner, title=f"{owner}'s") for owner in ("alice", "bob")]

    answer = staff.get(LIST)

    assert shown(answer) == [task.id for task in reversed(tasks)]
    assert columns(answer) == [
        "id",
        "title",
        "Owner",
        "completed",
        "Created (UTC)",
        "Updated (UTC)",
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
        *("Any date", "Today", "Past 7 days", "This month", "This year"),
    ]
    for _, condition in choices[1:]:
        assert shown(staff.get(LIST, condition)) == [open_, done]


@pytest.mark.parametrize(
    "lookup",
    ["title__regex", "user_id__startswith", "id__gt", "nothing", "created_at__regex"],
)
def test_other_conditions_in_the_address_are_refused(staff: Client, lookup: str) -> None:
    """A link may not make the database work through a condition that no filter has."""
    answer = staff.get(LIST, {lookup: "(a+)+$"})

    assert answer.status_code == 400
    assert answer["Content-Type"] == "text/html; charset=utf-8"


def test_a_search_finds_an_owner_by_the_exact_id(staff: Client) -> None:
    """An id must find its owner's tasks, and no other's, however alike."""
    add("user-1", "One", "Two")
    add("user-10", "user-1 is in this title")
    add("User-1", "Upper")

    assert find(staff, "user-1") == ["One", "Two"]
    assert find(staff, " user-10 ") == ["user-1 is in this title"]


def test_a_search_finds_words_of_the_title(staff: Client) -> None:
    """Each word must be in it, in any order and case; what looks like an id may be quoted."""
    add("alice", "Buy oat milk", "Milk the cow", "Call alice")

    assert find(staff, "MILK") == ["Buy oat milk", "Milk the cow"]
    assert find(staff, "milk buy") == ["Buy oat milk"]
    assert find(staff, '"oat milk"') == ["Buy oat milk"]
    assert find(staff, '"milk oat"') == []
    assert find(staff, '"alice"') == ["Call alice"]
    assert find(staff, "cheese") == []


def test_a_search_knows_the_letters_of_every_language(staff: Client) -> None:
    """Upper and lower case must be one, on SQLite too."""
    add("alice", "\u00c4pfel holen", "\u041c\u043e\u043b\u043e\u043a\u043e")

    assert find(staff, "\u00e4PFEL") == ["\u00c4pfel holen"]
    assert find(staff, "\u043c\u041e\u041b\u043e\u043a\u043e") == [
        "\u041c\u043e\u043b\u043e\u043a\u043e"
    ]


def test_an_apostrophe_is_a_letter_of_a_word(staff: Client) -> None:
    """Only double quotes may keep words together."""
    add("alice", "Don't let the cat out, it can't climb", "Let the dog out")

    assert find(staff, "can't don't") == ["Don't let the cat out, it can't climb"]
    assert find(staff, "'let") == []


@pytest.mark.parametrize("text", ["100%", "a_b", "c\\d", "'", '"', "é", "%"])
def test_a_search_is_taken_literally(staff: Client, text: str) -> None:
    """No character may be a wildcard."""
    add("alice", f"has {text} in it", "100 aXb cd")

    assert find(staff, text) == [f"has {text} in it"]


def test_a_search_with_nul_finds_nothing_and_breaks_nothing(staff: Client) -> None:
    """What cannot be stored cannot be asked for either."""
    add("alice", "Buy milk")

    assert staff.get(LIST, {"q": "\0"}).status_code == 200


def test_owners_are_shown_where_better_auth_knows_them(staff: Client) -> None:
    """Staff know people by their address and name."""
    create_table()
    add_user("alice", "ada@example.com", "Ada Lovelace")
    add("alice", "Buy milk")
    add("nobody", "Buy bread")

    answer = staff.get(LIST)

    assert b"ada@example.com" in answer.content
    assert b"Ada Lovelace" in answer.content
    assert columns(answer)[3:5] == ["E-mail", "Name"]


def test_an_owner_is_found_by_address_or_name(staff: Client) -> None:
    """A person asks about their tasks with their address or name."""
    create_table()
    add_user("1", "ada@example.com", "Ada Lovelace")
    add_user("2", "grace@example.com", "Grace Hopper")
    add("1", "Buy milk")
    add("2", "Call Ada")
    add("3", "Write to ada@example.com")

    assert find(staff, "Ada@Example.com") == ["Buy milk"]
    assert find(staff, "@example.com") == ["Buy milk", "Call Ada"]
    assert find(staff, "ada lovelace") == ["Buy milk"]
    assert find(staff, "ada") == ["Buy milk", "Call Ada", "Write to ada@example.com"]
    assert find(staff, "hopper") == ["Call Ada"]
    assert find(staff, "@nowhere") == []


def test_the_old_back_ends_table_is_not_asked(staff: Client) -> None:
    """Its addresses are not those of the owners."""
    execute('CREATE TABLE "user" (id text, email text, email_verified boolean, name text)')
    execute("INSERT INTO \"user\" (id, email) VALUES ('alice', 'old@example.com')")
    add("alice", "Buy milk")

    assert b"old@example.com" not in staff.get(LIST).content
    assert find(staff, "old@example.com") == []


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
def test_an_estimate_below_what_was_read_is_no_number() -> None:
    """Nobody may take the little that was read for all that an action would change."""
    assert (str(About(6)), str(About(7))) == ("more than 5", "about 7")


@pytest.mark.usefixtures("_many")
def test_a_short_result_in_a_long_list_is_exact(staff: Client) -> None:
    """Only what is too long to be counted may be estimated."""
    answer = staff.get(LIST, {"q": "7"})

    assert answer.context["cl"].result_count == 1
    assert b"about" not in answer.content


def test_a_page_beyond_the_last_is_the_first(staff: Client) -> None:
    """An address that leads nowhere must lead back."""
    add("alice", "Buy milk")

    assert len(shown(staff.get(LIST, {"p": "7"}))) == 1
