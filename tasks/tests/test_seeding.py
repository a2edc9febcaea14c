"""The generation of sample tasks."""

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


def seeded(now: datetime = NOON, **options: Any) -> list[tuple[Any, ...]]:
    """Seed at a given time, delete the tasks, and return them with times relative to that time."""
    with time_machine.travel(now, tick=False):
        seed_tasks(THREE, 100, **options)
    tasks = [(*row[1:5], row[5] - now, row[6] - now) for row in rows()]
    Task.objects.all().delete()
    return tasks


def test_each_user_gets_the_same_number_of_tasks(alice: ApiClient) -> None:
    """The API must list the new tasks, and existing tasks must be kept (SC-001)."""
    TaskFactory.create(user_id="dave")
    before = rows()

    assert seed_tasks(THREE, 7) == 21

    shown = alice.send("GET", "/api/alice/tasks").json()
    assert Counter(row[1] for row in rows()[1:]) == dict.fromkeys(THREE, 7)
    assert [task["title"] for task in shown] == [row[2] for row in rows() if row[1] == "alice"]
    assert rows()[:1] == before


def test_the_share_of_completed_tasks_is_exact() -> None:
    """The share must be exact, rounded to a whole number of tasks."""
    expected = {0: 0, 0.3: 30, 0.335: 34, 1: 100}
    for share in expected:
        seed_tasks([str(share)], 100, completed_share=share)

    completed = Counter(Task.objects.filter(completed=True).values_list("user_id", flat=True))
    assert {share: completed[str(share)] for share in expected} == expected


def test_creation_times_are_spread_over_the_days_in_the_order_of_the_ids() -> None:
    """The order of ids must match the order of creation, as for tasks created through the API."""
    ages = [-created for _, _, _, _, created, _ in seeded(days=30)]

    assert ages == sorted(ages, reverse=True)
    assert timedelta(days=29) < ages[0] <= timedelta(days=30)
    assert timedelta(0) <= ages[-1] < timedelta(days=1)


def test_updated_at_is_between_the_creation_and_now() -> None:
    """Completed tasks and some others must have an ``updated_at`` later than ``created_at``."""
    tasks = seeded()

    assert all(created <= updated <= timedelta(0) for *_, created, updated in tasks)
    assert all(created < updated for *_, completed, created, updated in tasks if completed)
    assert {created < updated for *_, completed, created, updated in tasks if not completed} == {
        True,
        False,
    }


def test_a_seed_reproduces_the_tasks() -> None:
    """A seed must determine texts and relative times; without one, each run must differ."""
    first = seeded(seed=1)

    assert seeded(NOON + timedelta(days=200, hours=5), seed=1) == first
    assert first not in (seeded(seed=2), unseeded := seeded())
    assert seeded() != unseeded


def test_the_texts_are_varied_and_valid() -> None:
    """Texts must vary and obey the length limits (FR-007, FR-008)."""
    texts = [(title, description) for _, title, description, *_ in seeded(seed=1)]

    assert len({title for title, _ in texts}) > len(texts) / 2
    assert None in {description for _, description in texts}
    assert all(0 < len(title.strip()) <= TITLE_MAX_LENGTH for title, _ in texts)
    assert all(len(description or "") <= DESCRIPTION_MAX_LENGTH for _, description in texts)


def test_texts_are_reused_after_the_first_deck(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of generated texts must be bounded."""
    monkeypatch.setattr(seeding, "DECK_SIZE", 5)

    seed_tasks(["alice"], 12)

    assert Task.objects.count() == 12
    assert len(set(Task.objects.order_by("id").values_list("title", "description")[:12])) <= 5


def test_statements_are_not_kept_in_debug(settings: Settings) -> None:
    """Memory must not grow even with ``DEBUG``, which makes Django keep statements."""
    settings.DEBUG = True

    seed_tasks(["alice"], 3)

    assert "INSERT" not in str(connection.queries)
