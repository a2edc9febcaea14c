"""Filling the table with believable tasks."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from pytest_django.fixtures import Settings

from conftest import ApiClient
from tasks.maintenance import seeding
from tasks.maintenance.seeding import seed_tasks
from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)
THREE = ["alice", "bob", "carol"]


def seeded(moment: datetime = NOON, **options: Any) -> list[tuple[Any, ...]]:
    """Seed at a moment; return what was stored, its times counted from there, and remove it."""
    with time_machine.travel(moment, tick=False):
        seed_tasks(THREE, 100, **options)
    tasks = [(*row[1:5], row[5] - moment, row[6] - moment) for row in rows()]
    Task.objects.all().delete()
    return tasks


def test_each_user_gets_as_many(alice: ApiClient) -> None:
    """Seeded tasks must be tasks like any others, beside what is there (SC-001)."""
    TaskFactory.create(user_id="dave")
    before = rows()

    assert seed_tasks(THREE, 7) == 21

    shown = alice.send("GET", "/api/alice/tasks").json()
    assert Counter(row[1] for row in rows()[1:]) == dict.fromkeys(THREE, 7)
    assert [task["title"] for task in shown] == [row[2] for row in rows() if row[1] == "alice"]
    assert rows()[:1] == before


def test_the_share_that_is_completed_is_exact() -> None:
    """The share must be that of all tasks, to the task."""
    expected = {0: 0, 0.3: 30, 0.335: 34, 1: 100}
    for share in expected:
        seed_tasks([str(share)], 100, completed_share=share)

    completed = Counter(Task.objects.filter(completed=True).values_list("user_id", flat=True))
    assert {share: completed[str(share)] for share in expected} == expected


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


def test_a_seed_decides_on_everything_at_any_time() -> None:
    """The distance of the times from now must be the seed's too; none makes other tasks again."""
    first = seeded(seed=1)

    assert seeded(NOON + timedelta(days=200, hours=5), seed=1) == first
    assert first not in (seeded(seed=2), unseeded := seeded())
    assert seeded() != unseeded


def test_the_texts_are_of_many_kinds_and_fit() -> None:
    """Sample tasks must look like somebody's, some of them without a description (FR-007)."""
    texts = [(title, description) for _, title, description, *_ in seeded(seed=1)]

    assert len({title for title, _ in texts}) > len(texts) / 2
    assert None in {description for _, description in texts}
    assert all(0 < len(title.strip()) <= TITLE_MAX_LENGTH for title, _ in texts)
    assert all(len(description or "") <= DESCRIPTION_MAX_LENGTH for _, description in texts)


def test_a_deck_that_is_through_is_dealt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making texts must not take longer the more tasks there are."""
    monkeypatch.setattr(seeding, "DECK_SIZE", 5)

    seed_tasks(["alice"], 12)

    assert Task.objects.count() == 12
    assert len(set(Task.objects.order_by("id").values_list("title", "description")[:12])) <= 5


def test_in_debug_its_statements_are_not_kept(settings: Settings) -> None:
    """Memory must stay flat, also where Django keeps each statement to show it."""
    settings.DEBUG = True

    seed_tasks(["alice"], 3)

    assert "INSERT" not in str(connection.queries)
