"""Writing more rows than fit into memory, or into one moment."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tasks import batches
from tasks.batches import delete_in_batches, store_in_batches
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows


def ids() -> list[int]:
    """List the ids that are stored."""
    return [row[0] for row in rows()]


@pytest.mark.django_db
def test_what_does_not_match_is_kept() -> None:
    """Only what was asked for may be deleted, wherever it lies between the rest."""
    kept = []
    for number in range(10):
        TaskFactory.create(user_id="alice")
        kept.append(TaskFactory.create(user_id=f"bob{number}").id)

    assert delete_in_batches(Task.objects.owned_by("alice"), batch_size=3) == 10
    assert ids() == kept


@pytest.mark.django_db
def test_a_batch_has_no_more_rows_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement may lock more rows than a batch has, however many ids are read at once."""
    monkeypatch.setattr(batches, "IDS_AT_ONCE", 4)
    counts: list[int] = []
    for _ in range(9):
        TaskFactory.create()

    delete_in_batches(Task.objects.all(), batch_size=3, on_batch=counts.append)

    assert counts == [3, 1, 3, 1, 1]
    assert ids() == []


@pytest.mark.django_db
def test_nothing_to_delete_is_no_batch() -> None:
    """Where nothing matches, nothing may be said to have been done."""
    counts: list[int] = []

    assert delete_in_batches(Task.objects.all(), on_batch=counts.append) == 0
    assert counts == []


@pytest.mark.django_db(transaction=True)
def test_each_batch_is_a_transaction_of_its_own() -> None:
    """What a batch has deleted must be committed before the next one begins."""
    seen: list[tuple[bool, int]] = []
    for _ in range(4):
        TaskFactory.create()

    delete_in_batches(
        Task.objects.all(),
        batch_size=2,
        on_batch=lambda count: seen.append((connection.in_atomic_block, len(ids()))),
    )

    assert seen == [(False, 2), (False, 0)]


@pytest.mark.django_db
def test_what_stops_matching_in_the_meantime_is_kept() -> None:
    """A task that is reopened while the clean-up is under way must stay."""
    first, second, third = (TaskFactory.create(completed=True).id for _ in range(3))

    deleted = delete_in_batches(
        Task.objects.filter(completed=True),
        batch_size=1,
        on_batch=lambda count: Task.objects.filter(id=second).update(completed=False),
    )

    assert deleted == 2
    assert ids() == [second]
    assert first < second < third


@pytest.mark.django_db
def test_what_ends_it_ends_it_between_two_batches() -> None:
    """What was deleted until then must be what was told."""
    for _ in range(5):
        TaskFactory.create()
    counts: list[int] = []

    def end(count: int) -> None:
        counts.append(count)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete_in_batches(Task.objects.all(), batch_size=2, on_batch=end)

    assert counts == [2]
    assert len(ids()) == 3


@pytest.mark.django_db
def test_storing_takes_no_more_than_a_batch_at_a_time() -> None:
    """Rows must be taken when they are needed: memory stays flat."""
    made = 0
    seen: list[tuple[int, int]] = []

    def tasks() -> Iterator[Task]:
        nonlocal made
        for _ in range(2500):
            made += 1
            yield TaskFactory.build()

    assert store_in_batches(tasks(), on_batch=lambda count: seen.append((count, made))) == 2500
    assert seen == [(1000, 1000), (1000, 2000), (500, 2500)]
