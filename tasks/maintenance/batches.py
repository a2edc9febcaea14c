"""Bulk inserts and deletes in batches, safe to interrupt with Ctrl-C."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from threading import Event, current_thread, main_thread
from typing import Any

from django.db import reset_queries, transaction
from django.db.models import QuerySet

from tasks.models import Task

BATCH_SIZE = 1000
# Few conditions have an index, so each query for ids may scan the whole table.
IDS_PER_QUERY = 100_000


def insert_in_batches(
    tasks: Iterator[Task],
    *,
    on_batch: Callable[[int], object] = lambda count: None,
    on_commit: Callable[[int], object] = lambda count: None,
) -> int:
    """Insert new tasks in one transaction: all of them or none.

    Args:
        tasks: the tasks, consumed one batch at a time.
        on_batch: called with the size of each batch after its insert; an exception rolls back the
            transaction.
        on_commit: called with the number of tasks after the commit, before Ctrl-C takes effect.

    Returns:
        The number of tasks inserted.
    """
    inserted = 0
    with ExitStack() as commit:
        with transaction.atomic():
            while batch := list(islice(tasks, BATCH_SIZE)):
                Task.objects.bulk_create(batch)
                inserted += len(batch)
                reset_queries()  # with DEBUG, Django keeps every statement in connection.queries
                on_batch(len(batch))
            commit.enter_context(deferred_interrupt())  # the commit begins: ignore one Ctrl-C
        on_commit(inserted)
    return inserted


def delete_in_batches(
    rows: "QuerySet[Any]",
    *,
    batch_size: int = BATCH_SIZE,
    on_batch: Callable[[int], object] = lambda count: None,
) -> int:
    """Delete rows in batches, each in its own short transaction.

    Each batch locks only its own rows, and only while it deletes them. A row that has stopped
    matching the conditions is kept.

    Args:
        rows: the rows to delete, unordered and unsliced.
        batch_size: the maximum number of rows per transaction.
        on_batch: called with the number of rows that each batch deleted, before Ctrl-C takes
            effect; an exception from it ends the deletion after that batch.

    Returns:
        The number of rows deleted.
    """
    deleted = 0
    for ids in id_ranges(rows, batch_size):
        with deferred_interrupt() as raise_deferred:
            # Repeat the conditions: a row may have changed since its id was read.
            count, _ = rows.filter(id__range=ids).delete()
            deleted += count
            on_batch(count)
        raise_deferred()
    return deleted


def id_ranges(rows: "QuerySet[Any]", batch_size: int = BATCH_SIZE) -> Iterator[tuple[int, int]]:
    """Yield the first and the last id of each batch of rows, without rows that are added meanwhile.

    Args:
        rows: the rows, unsliced.
        batch_size: the number of rows in a batch.
    """
    newest = rows.order_by("-id").values_list("id", flat=True).first() or 0
    ids = rows.filter(id__lte=newest).order_by("id").values_list("id", flat=True)
    found = list(ids[:IDS_PER_QUERY])
    while found:
        for start in range(0, len(found), batch_size):
            batch = found[start : start + batch_size]
            yield batch[0], batch[-1]
        found = list(ids.filter(id__gt=found[-1])[:IDS_PER_QUERY])


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], None]]:
    """Defer the first Ctrl-C, so that it does not interrupt a commit; a second one raises at once.

    Outside the main thread, nothing is deferred.

    Yields:
        A function that raises ``KeyboardInterrupt`` if Ctrl-C was deferred.
    """
    was_pressed = Event()

    def defer(*args: Any) -> None:
        was_pressed.set()
        signal.signal(signal.SIGINT, previous)

    def raise_deferred() -> None:
        if was_pressed.is_set():
            raise KeyboardInterrupt

    if current_thread() is not main_thread():  # signal handlers run in the main thread only
        yield raise_deferred
        return
    previous = signal.getsignal(signal.SIGINT)  # before a signal can call ``defer``
    signal.signal(signal.SIGINT, defer)
    try:
        yield raise_deferred
    finally:
        signal.signal(signal.SIGINT, previous)
