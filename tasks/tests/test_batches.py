"""Writing more rows than fit into memory, or into one moment."""

from collections.abc import Iterator
from copy import copy

import pytest
from django.db import connection

from tasks.maintenance import batches
from tasks.maintenance.batches import delete_in_batches, store_in_batches
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


def ids() -> list[int]:
    """List the ids that are stored."""
    return [row[0] for row in rows()]


def test_what_does_not_match_is_kept() -> None:
    """Only what was asked for may be deleted, wherever it lies between the rest."""
    kept = []
    for number in range(10):
        TaskFactory.create(user_id="alice")
        kept.append(TaskFactory.create(user_id=f"bob{number}").id)

    assert delete_in_batches(Task.objects.owned_by("alice"), batch_size=3) == 10
    assert ids() == kept


def test_a_batch_has_no_more_rows_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement may lock more rows than a batch has, however many ids are read at once."""
    monkeypatch.setattr(batches, "IDS_AT_ONCE", 4)
    counts: list[int] = []
    TaskFactory.create_batch(9)

    deleted = [
        delete_in_batches(Task.objects.all(), batch_size=3, on_batch=counts.append)
        for _ in range(2)  # nothing is left for the second time
    ]

    assert deleted == [9, 0]
    assert counts == [3, 1, 3, 1, 1]
    assert ids() == []


@pytest.mark.django_db(transaction=True)
def test_each_batch_is_a_transaction_of_its_own() -> None:
    """What a batch has deleted must be committed before the next one begins."""
    seen: list[tuple[bool, int]] = []
    TaskFactory.create_batch(4)

    delete_in_batches(
        Task.objects.all(),
        batch_size=2,
        on_batch=lambda count: seen.append((connection.in_atomic_block, len(ids()))),
    )

    assert seen == [(False, 2), (False, 0)]


def test_what_stops_matching_in_the_meantime_is_kept() -> None:
    """A task that is reopened while the clean-up is under way must stay."""
    _, second, _ = (TaskFactory.create(completed=True).id for _ in range(3))

    deleted = delete_in_batches(
        Task.objects.filter(completed=True),
        batch_size=1,
        on_batch=lambda count: Task.objects.filter(id=second).update(completed=False),
    )

    assert deleted == 2
    assert ids() == [second]


def test_storing_takes_no_more_than_a_batch_at_a_time() -> None:
    """Rows must be taken when they are needed: memory stays flat."""
    made = 0
    seen: list[tuple[int, int]] = []
    task = TaskFactory.build()

    def tasks() -> Iterator[Task]:
        nonlocal made
        for _ in range(2500):
            made += 1
            yield copy(task)

    assert store_in_batches(tasks(), on_batch=lambda count: seen.append((count, made))) == 2500
    assert seen == [(1000, 1000), (1000, 2000), (500, 2500)]
