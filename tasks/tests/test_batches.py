"""Bulk inserts and deletes in batches, and Ctrl-C during them."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any

import pytest
from django.db import connection, transaction

from tasks.maintenance import batches
from tasks.maintenance.batches import deferred_interrupt, delete_in_batches, insert_in_batches
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


def ids() -> list[int]:
    """Return the ids of all stored tasks."""
    return [row[0] for row in rows()]


def test_other_rows_are_kept() -> None:
    """Only matching rows may be deleted, even if other rows have ids in between."""
    kept = []
    for number in range(10):
        TaskFactory.create(user_id="alice")
        kept.append(TaskFactory.create(user_id=f"bob{number}").id)

    assert delete_in_batches(Task.objects.owned_by("alice"), batch_size=3) == 10
    assert ids() == kept


def test_no_batch_exceeds_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """No batch may delete more rows than the batch size."""
    monkeypatch.setattr(batches, "IDS_PER_QUERY", 4)
    counts: list[int] = []
    TaskFactory.create_batch(9)

    deleted = [
        delete_in_batches(Task.objects.all(), batch_size=3, on_batch=counts.append)
        for _ in range(2)  # the second call finds no rows
    ]

    assert deleted == [9, 0]
    assert counts == [3, 1, 3, 1, 1]
    assert ids() == []


@pytest.mark.django_db(transaction=True)
def test_each_batch_is_its_own_transaction() -> None:
    """A batch must be committed before the next one begins."""
    seen: list[tuple[bool, int]] = []
    TaskFactory.create_batch(4)

    delete_in_batches(
        Task.objects.all(),
        batch_size=2,
        on_batch=lambda count: seen.append((connection.in_atomic_block, len(ids()))),
    )

    assert seen == [(False, 2), (False, 0)]


def test_a_row_that_no_longer_matches_is_kept() -> None:
    """A task that is reopened during the deletion must be kept."""
    _, second, _ = (TaskFactory.create(completed=True).id for _ in range(3))

    deleted = delete_in_batches(
        Task.objects.filter(completed=True),
        batch_size=1,
        on_batch=lambda count: Task.objects.filter(id=second).update(completed=False),
    )

    assert deleted == 2
    assert ids() == [second]


def test_tasks_are_consumed_one_batch_at_a_time() -> None:
    """Memory must not grow with the number of tasks."""
    made = 0
    seen: list[tuple[int, int]] = []
    task = TaskFactory.build()

    def tasks() -> Iterator[Task]:
        nonlocal made
        for _ in range(2500):
            made += 1
            yield copy(task)

    assert insert_in_batches(tasks(), on_batch=lambda count: seen.append((count, made))) == 2500
    assert seen == [(1000, 1000), (1000, 2000), (500, 2500)]


def press_ctrl_c() -> None:
    """Send SIGINT to this process, as Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_during_the_commit_is_ignored() -> None:
    """Ctrl-C must not interrupt the commit, and the signal handler must be restored."""
    handler = signal.getsignal(signal.SIGINT)
    tasks = iter([TaskFactory.build()])

    inserted = insert_in_batches(tasks, on_batch=lambda count: transaction.on_commit(press_ctrl_c))

    assert (inserted, len(ids())) == (1, 1)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_during_the_commit_leaves_the_report_correct() -> None:
    """The number of tasks must be reported before Ctrl-C takes effect."""
    reported: list[int] = []

    def report(count: int) -> None:
        press_ctrl_c()
        reported.append(count)

    insert_in_batches(iter([TaskFactory.build()]), on_commit=report)

    assert (reported, len(ids())) == ([1], 1)


def test_ctrl_c_during_a_delete_takes_effect_after_it() -> None:
    """The deleted batch must be counted, and the next one must not begin."""
    TaskFactory.create_batch(3)
    counts: list[int] = []

    def on_batch(count: int) -> None:
        counts.append(count)
        press_ctrl_c()

    with pytest.raises(KeyboardInterrupt):
        delete_in_batches(Task.objects.all(), batch_size=1, on_batch=on_batch)

    assert (counts, len(ids())) == ([1], 2)


def test_ctrl_c_is_deferred_until_the_caller_raises_it() -> None:
    """The first Ctrl-C must raise only when the caller calls the yielded function."""
    with deferred_interrupt() as raise_deferred:
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            raise_deferred()


def test_ctrl_c_in_the_moment_in_which_deferring_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be deferred too, and not be an error of the handler."""
    install, usual = signal.signal, signal.getsignal(signal.SIGINT)

    def install_and_press(number: int, handler: Any) -> Any:
        previous = install(number, handler)
        if handler is not usual:
            press_ctrl_c()
        return previous

    monkeypatch.setattr(signal, "signal", install_and_press)
    with deferred_interrupt() as raise_deferred, pytest.raises(KeyboardInterrupt):
        raise_deferred()

    assert signal.getsignal(signal.SIGINT) is usual


def test_a_second_ctrl_c_is_not_deferred() -> None:
    """A second Ctrl-C must raise at once, to end a command that waits for the database."""
    with deferred_interrupt():
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()


def test_without_ctrl_c_nothing_is_raised() -> None:
    """The block must run normally, even outside the main thread."""

    def work() -> bool:
        with deferred_interrupt() as raise_deferred:
            raise_deferred()
        return True

    with ThreadPoolExecutor(1) as pool:
        assert (work(), pool.submit(work).result()) == (True, True)
