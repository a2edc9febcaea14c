"""Pages and their links (docs/contract.md, "Extensions"; RFC 8288)."""

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

TIME = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)


def test_a_list_without_a_limit_has_no_links(alice: ApiClient) -> None:
    """A list without a limit must have no ``Link`` header."""
    TaskFactory.create_batch(3)

    for query in ("", "?ordering=title", "?search=", "?completed=true"):
        assert "Link" not in alice.send("GET", f"{TASKS}{query}")


def test_the_first_page_links_to_the_next(alice: ApiClient) -> None:
    """The first page must have a next link if more tasks follow, and no links otherwise."""
    relations = {}
    for number in range(4):
        page = alice.send("GET", f"{TASKS}?limit=2")
        relations[number] = (len(page.json()), list(links(page)))
        TaskFactory.create()

    assert relations == {0: (0, []), 1: (1, []), 2: (2, []), 3: (2, ["next"])}


def test_each_page_links_to_its_neighbours(alice: ApiClient) -> None:
    """A middle page must link in both directions, and its neighbours back to it."""
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
    """Links must work behind any proxy and keep the options."""
    TaskFactory.create_batch(3, title="Ä &=+%_\\ milk", completed=True)
    query = {"completed": "true", "search": "ä &=+%_\\", "ordering": "-title", "limit": "1"}
    sent = "&".join(f"{name}={quote(value)}" for name, value in query.items())

    response = alice.send("GET", f"{TASKS}?{sent}")
    target = links(response)["next"]

    assert response["Link"].startswith("<?")
    assert dict(parse_qsl(urlsplit(target).query)).items() > query.items()
    assert response["Link"].isascii()
    assert len(ids(alice.send("GET", target))) == 1


def test_links_work_on_a_path_with_a_trailing_slash(alice: ApiClient) -> None:
    """Relative links must also resolve on a path with a trailing slash."""
    _, second, _ = TaskFactory.create_batch(3)
    plain, slashed = (alice.send("GET", f"{TASKS}{slash}?limit=1") for slash in ("", "/"))

    assert slashed["Link"] == plain["Link"]
    assert ids(alice.send("GET", links(slashed)["next"])) == [second.id]


def test_deleting_a_page_does_not_move_the_next(alice: ApiClient) -> None:
    """A cursor must hold a sort key, not an offset."""
    tasks = TaskFactory.create_batch(6)
    first = alice.send("GET", f"{TASKS}?limit=2")
    Task.objects.filter(pk__in=ids(first)).delete()

    assert ids(alice.send("GET", links(first)["next"])) == [task.id for task in tasks[2:4]]


@pytest.mark.parametrize("query", ["ordering=title", "ordering=-completed", "ordering=created_at"])
def test_deleting_ties_skips_nothing(alice: ApiClient, query: str) -> None:
    """Deleting some of several tasks with equal values must not cause others to be skipped."""
    tasks = [
        Task.objects.create(user_id="alice", title="Same", created_at=TIME, updated_at=TIME)
        for _ in range(20)
    ]
    first = alice.send("GET", f"{TASKS}?{query}&limit=5")
    Task.objects.filter(pk__in=ids(first)).delete()

    walked = pages(alice, links(first)["next"])

    assert [task["id"] for page in walked for task in page] == [task.id for task in tasks[5:]]


@pytest.mark.parametrize("ordering", ["id", "created_at"])
def test_an_empty_page_links_back(alice: ApiClient, ordering: str) -> None:
    """An empty page at either end must link back to the task that is left."""
    one, two, three = TaskFactory.create_batch(3)
    first = alice.send("GET", f"{TASKS}?limit=1&ordering={ordering}")
    middle = alice.send("GET", links(first)["next"])
    Task.objects.filter(pk__in=[one.id, three.id]).delete()

    after, before = (alice.send("GET", links(middle)[name]) for name in ("next", "prev"))

    assert (after.json(), before.json()) == ([], [])
    assert (list(links(after)), list(links(before))) == (["prev"], ["next"])
    assert ids(alice.send("GET", links(after)["prev"])) == [two.id]
    assert ids(alice.send("GET", links(before)["next"])) == [two.id]


def test_a_walk_continues_on_a_growing_list(alice: ApiClient) -> None:
    """A client at the end of the list must find tasks that were added since."""
    TaskFactory.create_batch(2)
    first = alice.send("GET", f"{TASKS}?limit=1")
    Task.objects.filter(pk__gt=ids(first)[0]).delete()
    end = alice.send("GET", links(first)["next"])
    added = TaskFactory.create()

    assert end.json() == []
    assert ids(alice.send("GET", links(first)["next"])) == [added.id]


def test_a_cursor_with_the_longest_title_fits_in_a_request_line(alice: ApiClient) -> None:
    """The link must stay well below the server's limit of 8190 bytes."""
    for _ in range(2):
        TaskFactory.create(title="\N{PILE OF POO}" * 200)

    target = links(alice.send("GET", f"{TASKS}?limit=1&ordering=title"))["next"]

    assert len(target) < 2000
    assert len(ids(alice.send("GET", target))) == 1


def test_the_pages_together_are_the_list(alice: ApiClient) -> None:
    """Without edits, the pages must add up to the list, in both directions."""
    for number in range(23):
        time = TIME + timedelta(seconds=number % 4)
        Task.objects.create(
            user_id="alice",
            title="cabé"[number % 4],
            completed=number % 3 == 0,
            created_at=time,
            updated_at=time,
        )

    def outcome(ordering: str) -> tuple[bool, bool]:
        url = f"{TASKS}?ordering={ordering}"
        whole = alice.send("GET", url).json()
        there = pages(alice, f"{url}&limit=5")
        last = alice.send("GET", f"{url}&limit=5")
        while "next" in links(last):
            last = alice.send("GET", links(last)["next"])
        back = pages(alice, links(last)["prev"], "prev")
        is_back = [task for page in reversed(back) for task in page] == whole[:20]
        return [task for page in there for task in page] == whole, is_back

    assert wrong_rows(ORDERINGS, outcome, (True, True)) == []
