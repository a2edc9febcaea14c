"""Filling the table with believable tasks."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from pytest_django.fixtures import Settings

from conftest import ApiClient
from tasks import seeding
from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, Task
from tasks.seeding import seed_tasks
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)
THREE = ["alice", "bob", "carol"]


def seeded(moment: datetime = NOON, **options: Any) -> list[tuple[Any, ...]]:
    """Seed at a moment; return what was stored, its times counted from there, and remove it."""
    with time_machine.travel(moment, tick=False):
        seed_tasks(THREE, 100, **options)
    tasks = [
        (
            task.user_id,
            task.title,
            task.description,
            task.completed,
            task.created_at - moment,
            task.updated_at - moment,
        )
        for task in Task.objects.order_by("id")
    ]
    Task.objects.all().delete()
    return tasks


def test_each_user_gets_as_many() -> None:
    """The number of tasks must be that of each user."""
    assert seed_tasks(THREE, 7) == 21
    assert Counter(Task.objects.values_list("user_id", flat=True)) == dict.fromkeys(THREE, 7)


@pytest.mark.parametrize(("share", "completed"), [(0, 0), (0.3, 30), (0.335, 34), (1, 100)])
def test_the_share_that_is_completed_is_exact(share: float, completed: int) -> None:
    """The share must be that of all tasks, to the task."""
    seed_tasks(["alice"], 100, completed_share=share)

    assert Task.objects.filter(completed=True).count() == completed


def test_the_tasks_were_created_over_the_last_days_in_the_order_of_their_ids() -> None:
    """A list by id must be a list by age, as the API's own tasks are."""
    ages = [-created for _, _, _, _, created, _ in seeded(days=30)]

    assert ages == sorted(ages, reverse=True)
    assert timedelta(days=29) < ages[0] <= timedelta(days=30)
    assert timedelta(0) <= ages[-1] < timedelta(days=1)


def test_a_task_is_changed_after_its_creation_and_not_in_the_future() -> None:
    """Completed tasks, and some others, must have a later change; the rest none."""
    tasks = seeded()

    assert all(created <= updated <= timedelta(0) for *_, created, updated in tasks)
    assert all(created < updated for *_, completed, created, updated in tasks if completed)
    assert {created < updated for *_, completed, created, updated in tasks if not completed} == {
        True,
        False,
    }


def test_the_same_seed_makes_the_same_tasks_at_any_time() -> None:
    """A seed must decide on everything, the distance of the times from now included."""
    assert seeded(seed=1) == seeded(NOON + timedelta(days=200, hours=5), seed=1)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (None, None)])
def test_other_seeds_make_other_tasks(first: int | None, second: int | None) -> None:
    """Without a seed, or with another one, the tasks must be others."""
    assert seeded(seed=first) != seeded(seed=second)


def test_the_texts_are_of_many_kinds_and_fit() -> None:
    """Sample tasks must look like somebody's, some of them without a description."""
    texts = [(title, description) for _, title, description, *_ in seeded(seed=1)]

    assert len({title for title, _ in texts}) > len(texts) / 2
    assert None in {description for _, description in texts}
    assert all(0 < len(title) <= TITLE_MAX_LENGTH for title, _ in texts)
    assert all(len(description or "") <= DESCRIPTION_MAX_LENGTH for _, description in texts)


def test_a_deck_that_is_through_is_dealt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making texts must not take longer the more tasks there are."""
    monkeypatch.setattr(seeding, "DECK_SIZE", 5)

    seed_tasks(["alice"], 12)

    assert Task.objects.count() == 12
    assert len(set(Task.objects.order_by("id").values_list("title", "description")[:12])) <= 5


def test_they_are_added_to_what_is_there() -> None:
    """What was there must stay as it was."""
    TaskFactory.create()
    before = rows()

    seed_tasks(["alice"], 3)

    assert rows()[:1] == before
    assert len(rows()) == 4


def test_whoever_reads_the_api_sees_them(alice: ApiClient) -> None:
    """Seeded tasks must be tasks like any others (SC-001)."""
    seed_tasks(["alice"], 3)

    shown = alice.send("GET", "/api/alice/tasks").json()
    assert [task["title"] for task in shown] == [task[2] for task in rows()]


def test_what_is_interrupted_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them must be stored, or none."""
    TaskFactory.create()
    before = rows()

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed_tasks(["alice"], 3, on_batch=interrupt)

    assert rows() == before


def test_progress_is_told_by_the_batch() -> None:
    """Whoever waits must learn how far it is."""
    counts: list[int] = []

    seed_tasks(["alice"], 2500, on_batch=counts.append)

    assert counts == [1000, 1000, 500]


def test_in_debug_its_statements_are_not_kept(settings: Settings) -> None:
    """Memory must stay flat, also where Django keeps each statement to show it."""
    settings.DEBUG = True

    seed_tasks(["alice"], 3)

    assert "INSERT" not in str(connection.queries)
