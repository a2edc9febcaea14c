"""Walks through a list that changes between pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import ApiClient
from tasks.list_options import ORDERINGS
from tasks.models import Task
from tasks.tests.factories import TaskFactory
from tasks.tests.link_walker import TASKS, ids, links

pytestmark = pytest.mark.django_db

TIME = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)
# tasks to add (``None`` adds one of Bob's), and list indexes of tasks to delete
Edit = tuple[list[dict[str, Any] | None], list[int]]

# few values, for ties; upper and lower case, for searches
titles = st.sampled_from(["a", "A", "b", "a b", "ß", "ss", "z"])
times = st.integers(0, 2).map(lambda number: TIME + timedelta(microseconds=number))
tasks: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict, title=titles, completed=st.booleans(), created_at=times, updated_at=times
)
additions = tasks | st.none()
places = st.lists(st.integers(0, 30), max_size=3)
edits = st.lists(st.tuples(st.lists(additions, max_size=3), places), max_size=10)
searches = st.sampled_from(["", "a", "SS", "b a", "%"])
states = st.sampled_from(["", "true", "false"])


class Walk:
    """A walk through the list, page by page, that remembers its last page.

    Args:
        client: the owner's client.
        ordering, search, completed: the options; an empty one is omitted.
        limit: the size of a page.
    """

    def __init__(
        self, client: ApiClient, ordering: str, search: str, completed: str, limit: int
    ) -> None:
        options = {"ordering": ordering, "search": search, "completed": completed, "limit": limit}
        query = "&".join(f"{name}={value}" for name, value in options.items() if value != "")
        self.client, self.url = client, f"{TASKS}?{query.replace(' ', '%20')}"
        self.search, self.completed = search.casefold().split(), completed
        self.last_page: list[int] = []

    def kept(self) -> set[int]:
        """Return the ids of the tasks that match the options now."""
        return {
            task.id
            for task in Task.objects.filter(user_id="alice")
            if self.completed in ("", str(task.completed).lower())
            and all(word in task.title.casefold() for word in self.search)
        }

    def run(self, relation: str, edits: list[Edit]) -> bool:
        """Walk to the end, with an edit before each further page; return whether a link leads back.

        No task may be repeated, and none that existed throughout may be skipped.
        """
        url, throughout, seen = self.url, self.kept(), list(self.last_page)
        upcoming = iter(edits)
        while True:
            response = self.client.send("GET", url)
            self.last_page = ids(response)
            seen += self.last_page
            if relation not in links(response):
                break
            url = links(response)[relation]
            edit(*next(upcoming, ([], [])))
            throughout &= self.kept()
        assert len(seen) == len(set(seen))
        assert throughout <= set(seen)
        self.url = links(response).get("prev", "")
        return bool(self.url)


def edit(added: list[dict[str, Any] | None], deleted: list[int]) -> None:
    """Delete the tasks at the given list indexes, then add tasks."""
    present = list(Task.objects.filter(user_id="alice").values_list("id", flat=True))
    Task.objects.filter(pk__in=[present[at % len(present)] for at in deleted if present]).delete()
    for values in added:
        if values is not None:
            Task.objects.create(user_id="alice", **values)
        else:
            TaskFactory.create(user_id="bob")


FIXTURE = HealthCheck.function_scoped_fixture  # the batch size is the same in each example


@pytest.fixture
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read so few tasks at a time that a search needs several batches."""
    monkeypatch.setattr("tasks.pagination.FILTER_BATCH_SIZE", 3)


@pytest.mark.usefixtures("_small_batches")
@settings(max_examples=200, suppress_health_check=[FIXTURE, HealthCheck.too_slow])
@given(
    present=st.lists(tasks, max_size=12),
    options=st.tuples(st.sampled_from(ORDERINGS), searches, states, st.integers(1, 4)),
    forwards=edits,
    backwards=edits,
)
def test_no_walk_repeats_or_skips_a_task(
    present: list[dict[str, Any] | None],
    options: tuple[str, str, str, int],
    forwards: list[Edit],
    backwards: list[Edit],
) -> None:
    """A walk must be complete in both directions, with any edits and ties."""
    Task.objects.all().delete()
    edit(present, [])
    walk = Walk(ApiClient("alice"), *options)
    if walk.run("next", forwards):
        walk.run("prev", backwards)
