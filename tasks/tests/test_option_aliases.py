"""Other names of the list options (docs/contract.md, "Extensions")."""

import pytest

from conftest import ApiClient
from tasks.option_aliases import own_options
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, ids, links
from tasks.tests.tables import wrong_rows

MAX_OFFSET = str(2**63 - 1001)
# The options that are asked for, and those that they are read as
READ_AS: list[tuple[dict[str, str], dict[str, str]]] = [
    *(
        ({name: value}, {"completed": "true"})
        for name in ("status", "status_filter")
        for value in ("completed", "done", "Completed", " done ")
    ),
    *(
        ({name: value}, {"completed": "false"})
        for name in ("status", "status_filter")
        for value in ("pending", "incomplete", "active", "open")
    ),
    *(({"status": value}, {}) for value in ("all", "", "archived", "in_progress", "true", "1")),
    *(({"completed": value}, {"completed": "true"}) for value in ("1", "True", "yes", "true")),
    *(({"completed": value}, {"completed": "false"}) for value in ("0", "False", "no", "false")),
    ({"completed": ""}, {}),
    *(({"completed": value}, {"completed": value}) for value in ("maybe", "TRUE", "2")),
    ({"completed": "false", "status": "done"}, {"completed": "false"}),
    ({"completed": "", "status": "done"}, {}),
    ({"status": "done", "status_filter": "open"}, {"completed": "true"}),
    ({"status": "archived", "status_filter": "open"}, {"completed": "false"}),
    ({"status": "all", "status_filter": "open"}, {}),
    *(
        ({name: value}, {"ordering": ordering})
        for name in ("sort", "sort_by")
        for value, ordering in {
            "title": "title",
            "-title": "-title",
            " title": "title",
            "title:desc": "-title",
            "title:asc": "title",
            "Title:DESC": "-title",
            "created": "created_at",
            "createdAt": "created_at",
            "created_at": "created_at",
            "-createdAt": "-created_at",
            "updated": "updated_at",
            "updatedAt:desc": "-updated_at",
            "id": "id",
            "completed": "completed",
        }.items()
    ),
    *(
        ({"sort": "title", name: value}, {"ordering": ordering})
        for name in ("order", "sort_order")
        for value, ordering in {
            "asc": "title",
            "desc": "-title",
            "DESC": "-title",
            "": "title",
            "random": "title",
        }.items()
    ),
    ({"sort": "-title", "order": "asc"}, {"ordering": "-title"}),
    ({"sort": "title:asc", "order": "desc"}, {"ordering": "title"}),
    ({"sort": "title", "ordering": "-id"}, {"ordering": "-id"}),
    *(({"sort": value}, {}) for value in ("priority", "", "title,id", "title:up", "--title")),
    ({"sort": "priority", "sort_by": "title"}, {"ordering": "title"}),
    ({"order": "desc"}, {}),
    ({"offset": "20"}, {"offset": "20"}),
    ({"skip": "20", "limit": "10"}, {"offset": "20", "limit": "10"}),
    ({"offset": "0", "limit": "0"}, {"offset": "0", "limit": "1000"}),
    ({"offset": "5", "limit": "5000"}, {"offset": "5", "limit": "1000"}),
    ({"skip": "5", "page_size": "7"}, {"offset": "5", "limit": "7"}),
    ({"offset": "5", "skip": "6", "page": "9"}, {"offset": "5"}),
    ({"offset": "9" * 100}, {"offset": MAX_OFFSET}),
    ({"offset": "", "skip": "3"}, {"offset": "3"}),
    ({"page": "1"}, {"offset": "0"}),
    ({"page": "2"}, {"offset": MAX_OFFSET}),
    ({"page": "3", "limit": "10"}, {"offset": "20", "limit": "10"}),
    ({"page": "3", "page_size": "20"}, {"offset": "40", "limit": "20"}),
    ({"page": "2", "per_page": "5"}, {"offset": "5", "limit": "5"}),
    ({"page": "2", "limit": "4", "per_page": "5"}, {"offset": "4", "limit": "4"}),
    ({"page": "2", "per_page": "0"}, {"offset": "1000", "limit": "1000"}),
    ({"page": "2", "per_page": "many"}, {"offset": MAX_OFFSET}),
    ({"page": "2", "page_size": "many", "per_page": "7"}, {"offset": "7", "limit": "7"}),
    ({"page": "9" * 100, "limit": "9"}, {"offset": MAX_OFFSET, "limit": "9"}),
    ({"page": "2", "limit": "ten", "per_page": "5"}, {"offset": MAX_OFFSET, "limit": "ten"}),
    ({"offset": "2", "limit": ""}, {"offset": "2", "limit": ""}),
    *(({"offset": value}, {}) for value in ("", "-1", "ten", "1.5", "\u0661", "9" * 101)),
    *(({"page": value}, {}) for value in ("0", "-1", "last", "")),
    ({"page": "0", "limit": "5"}, {"limit": "5"}),
    ({"page": "0", "limit": "0"}, {"limit": "1000"}),
    ({"offset": "-1", "limit": "5000"}, {"limit": "1000"}),
    ({"page": "0", "per_page": "5"}, {"limit": "5"}),
    ({"page_size": "5"}, {}),
    ({"offset": "5", "cursor": "x"}, {"cursor": "x"}),
    ({"page": "2", "limit": "5", "cursor": "x"}, {"limit": "5", "cursor": "x"}),
    ({"limit": "0"}, {"limit": "0"}),
    ({"search": "milk", "priority": "high"}, {"search": "milk"}),
]
OWN = ("completed", "search", "ordering", "limit", "cursor", "offset")


@pytest.mark.parametrize(("asked", "read"), READ_AS, ids=str)
def test_an_alias_is_read_as_its_option(asked: dict[str, str], read: dict[str, str]) -> None:
    """An option of this API must win, and an unknown value of an alias must be ignored."""
    options = own_options(asked)

    assert {name: value for name, value in options.items() if name in OWN} == read


@pytest.mark.django_db
def test_the_list_has_the_tasks_of_the_aliases(alice: ApiClient) -> None:
    """A list by other names must be the list that it is read as (SC-002)."""
    for number in range(12):
        TaskFactory.create(title=f"Task {number % 5}", completed=number % 3 == 0)
        TaskFactory.create(user_id="bob")
    same = {
        "status=done": "completed=true",
        "status_filter=pending&sort=createdAt&order=desc": "completed=false&ordering=-created_at",
        "completed=yes&sort_by=title&sort_order=desc": "completed=true&ordering=-title",
        "completed=": "",
        "status=archived&sort=priority": "",
        "skip=0&limit=100": "",
        "offset=0&limit=0": "",
        "page=1&per_page=5000": "",
        "page=1": "",
    }

    def outcome(aliases: str) -> bool:
        got, own = (alice.send("GET", f"{TASKS}?{query}") for query in (aliases, same[aliases]))
        return got.json() == own.json() and len(own.json()) > 3 and "Link" not in got.headers

    assert wrong_rows(same, outcome, True) == []


@pytest.mark.django_db
@pytest.mark.parametrize("options", ["", "&search=task", "&status=pending", "&sort=-title"])
def test_an_offset_leaves_out_the_first_tasks(alice: ApiClient, options: str) -> None:
    """Pages by number or offset must add up to the list, without ``Link`` headers."""
    for number in range(7):
        TaskFactory.create(title=f"Task {number % 3}")
    TaskFactory.create(title="Task", user_id="bob")
    whole = ids(alice.send("GET", f"{TASKS}?{options}"))

    by_page = [alice.send("GET", f"{TASKS}?page={page}&limit=3{options}") for page in (1, 2, 3, 4)]
    rest = alice.send("GET", f"{TASKS}?offset=5{options}")

    assert [ids(page) for page in by_page] == [whole[:3], whole[3:6], whole[6:], []]
    assert not any(page.headers.get("Link") for page in (*by_page, rest))
    assert ids(rest) == whole[5:]
    for beyond in (f"offset={'9' * 50}&limit=9", f"page={'9' * 50}&limit=9", "page=2"):
        assert ids(alice.send("GET", f"{TASKS}?{beyond}{options}")) == []


@pytest.mark.django_db
def test_links_keep_the_options_that_an_alias_asked_for(alice: ApiClient) -> None:
    """A link must have the option, and lead to the rest of the same list."""
    for number in range(4):
        TaskFactory.create(completed=number != 1)

    first = alice.send("GET", f"{TASKS}?status=done&sort=-id&limit=2")
    second = alice.send("GET", links(first)["next"])

    whole = ids(alice.send("GET", f"{TASKS}?completed=true&ordering=-id"))
    assert ids(first) + ids(second) == whole


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "name"),
    [("completed=maybe", "completed"), ("limit=0", "limit"), ("page=2&limit=ten", "limit")],
)
def test_a_bad_value_of_an_own_option_is_refused(alice: ApiClient, query: str, name: str) -> None:
    """Only an alias may have an unknown value."""
    response = alice.send("GET", f"{TASKS}?{query}")

    assert response.status_code == 422
    assert [entry["loc"] for entry in response.json()["detail"]] == [["query", name]]
