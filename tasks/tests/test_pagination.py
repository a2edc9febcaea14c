"""Walking from page to page (contract.md "What goes beyond the plan", list options; RFC 8288)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from conftest import ApiClient
from tasks.list_options import ORDERINGS
from tasks.models import Task
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, ids, links, pages
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)


def test_the_list_without_a_limit_has_no_links(alice: ApiClient) -> None:
    """A client that asks for no pages must get the whole list, and nothing beside it."""
    TaskFactory.create_batch(3)

    for query in ("", "?ordering=title", "?search=", "?completed=true"):
        assert "Link" not in alice.send("GET", f"{TASKS}{query}")


def test_a_first_page_links_to_what_is_beyond_it(alice: ApiClient) -> None:
    """There must be a next page where there are more tasks, and none where there are not."""
    relations = {}
    for number in range(4):
        page = alice.send("GET", f"{TASKS}?limit=2")
        relations[number] = (len(page.json()), list(links(page)))
        TaskFactory.create()

    assert relations == {0: (0, []), 1: (1, []), 2: (2, []), 3: (2, ["next"])}


def test_each_page_links_to_its_neighbours(alice: ApiClient) -> None:
    """From the middle there must be a way to either side, and back to the very same tasks."""
    first, second, third = (task.id for task in TaskFactory.create_batch(3))

    one = alice.send("GET", f"{TASKS}?limit=1")
    two = alice.send("GET", links(one)["next"])
    three = alice.send("GET", links(two)["next"])
    two_again = alice.send("GET", links(three)["prev"])
    one_again = alice.send("GET", links(two_again)["prev"])

    assert [ids(page) for page in (one, two, three)] == [[first], [second], [third]]
    assert [ids(page) for page in (two_again, one_again)] == [[second], [first]]
    assert [sorted(links(page)) for page in (one, two, three)] == [
        ["next"],
        ["next", "prev"],
        ["prev"],
    ]
    assert [sorted(links(page)) for page in (two_again, one_again)] == [["next", "prev"], ["next"]]
    assert ids(alice.send("GET", links(one_again)["next"])) == [second]


def test_links_are_relative_and_keep_the_other_options(alice: ApiClient) -> None:
    """They must hold behind any proxy, and lead on in the same list."""
    TaskFactory.create_batch(3, title="Ä &=+%_\\ milk", completed=True)
    query = {"completed": "true", "search": "ä &=+%_\\", "ordering": "-title", "limit": "1"}
    sent = "&".join(f"{name}={quote(value)}" for name, value in query.items())

    response = alice.send("GET", f"{TASKS}?{sent}")
    target = links(response)["next"]

    assert response["Link"].startswith("<?")
    assert dict(parse_qsl(urlsplit(target).query)).items() > query.items()
    assert response["Link"].isascii()
    assert len(ids(alice.send("GET", target))) == 1


def test_links_hold_on_the_path_with_a_slash(alice: ApiClient) -> None:
    """The same path with a trailing slash must give the same answer (contract.md "Six …")."""
    _, second, _ = TaskFactory.create_batch(3)
    plain, slashed = (alice.send("GET", f"{TASKS}{slash}?limit=1") for slash in ("", "/"))

    assert slashed["Link"] == plain["Link"]
    assert ids(alice.send("GET", links(slashed)["next"])) == [second.id]


def test_the_next_page_is_where_it_was_when_everything_shown_is_deleted(alice: ApiClient) -> None:
    """A position must be a key and not an offset."""
    tasks = TaskFactory.create_batch(6)
    first = alice.send("GET", f"{TASKS}?limit=2")
    Task.objects.filter(pk__in=ids(first)).delete()

    assert ids(alice.send("GET", links(first)["next"])) == [task.id for task in tasks[2:4]]


@pytest.mark.parametrize("query", ["ordering=title", "ordering=-completed", "ordering=created_at"])
def test_nothing_is_skipped_among_equals_when_some_are_deleted(
    alice: ApiClient, query: str
) -> None:
    """An offset within equal values would skip as many as were deleted."""
    tasks = [
        Task.objects.create(user_id="alice", title="Same", created_at=MOMENT, updated_at=MOMENT)
        for _ in range(20)
    ]
    first = alice.send("GET", f"{TASKS}?{query}&limit=5")
    Task.objects.filter(pk__in=ids(first)).delete()

    walked = pages(alice, links(first)["next"])

    assert [task["id"] for page in walked for task in page] == [task.id for task in tasks[5:]]


@pytest.mark.parametrize("ordering", ["id", "created_at"])
def test_an_empty_page_leads_back(alice: ApiClient, ordering: str) -> None:
    """Where all that a link led to is gone there must be a way back, either way."""
    one, two, three = TaskFactory.create_batch(3)
    first = alice.send("GET", f"{TASKS}?limit=1&ordering={ordering}")
    middle = alice.send("GET", links(first)["next"])
    Task.objects.filter(pk__in=[one.id, three.id]).delete()

    after, before = (alice.send("GET", links(middle)[name]) for name in ("next", "prev"))

    assert (after.json(), before.json()) == ([], [])
    assert (list(links(after)), list(links(before))) == (["prev"], ["next"])
    assert ids(alice.send("GET", links(after)["prev"])) == [two.id]
    assert ids(alice.send("GET", links(before)["next"])) == [two.id]


def test_an_empty_page_leads_back_to_what_was_added_since(alice: ApiClient) -> None:
    """A walk must go on from the end of the list, as the list grows."""
    TaskFactory.create_batch(2)
    first = alice.send("GET", f"{TASKS}?limit=1")
    Task.objects.filter(pk__gt=ids(first)[0]).delete()
    end = alice.send("GET", links(first)["next"])
    added = TaskFactory.create()

    assert end.json() == []
    assert ids(alice.send("GET", links(first)["next"])) == [added.id]


def test_the_longest_title_has_room_in_a_link(alice: ApiClient) -> None:
    """A position among the longest titles must be one that the server reads (8190 bytes)."""
    for _ in range(2):
        TaskFactory.create(title="\N{PILE OF POO}" * 200)

    target = links(alice.send("GET", f"{TASKS}?limit=1&ordering=title"))["next"]

    assert len(target) < 2000
    assert len(ids(alice.send("GET", target))) == 1


def test_the_pages_together_are_the_list(alice: ApiClient) -> None:
    """Without edits a walk must show the list in its order, and the way back its reverse."""
    for number in range(23):
        moment = MOMENT + timedelta(seconds=number % 4)
        Task.objects.create(
            user_id="alice",
            title="cabé"[number % 4],
            completed=number % 3 == 0,
            created_at=moment,
            updated_at=moment,
        )

    def answer(ordering: str) -> tuple[bool, bool]:
        url = f"{TASKS}?ordering={ordering}"
        whole = alice.send("GET", url).json()
        there = pages(alice, f"{url}&limit=5")
        last = alice.send("GET", f"{url}&limit=5")
        while "next" in links(last):
            last = alice.send("GET", links(last)["next"])
        back = pages(alice, links(last)["prev"], "prev")
        is_back = [task for page in reversed(back) for task in page] == whole[:20]
        return [task for page in there for task in page] == whole, is_back

    assert wrong_rows(ORDERINGS, answer, (True, True)) == []
