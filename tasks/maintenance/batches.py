"""Writing more rows than fit into memory, or into one moment."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.db import reset_queries, transaction
from django.db.models import QuerySet

from tasks.models import Task

BATCH_SIZE = 1000
# Few conditions have an index, so that each look for rows may go through the whole table.
IDS_AT_ONCE = 100_000


def store_in_batches(
    tasks: Iterator[Task], *, on_batch: Callable[[int], object] = lambda count: None
) -> int:
    """Store new tasks, all of them or, if anything gets in the way, none.

    Args:
        tasks: taken one batch at a time.
        on_batch: called with the number of tasks that were just written; what it raises takes
            everything back.

    Returns:
        How many tasks were stored.
    """
    stored = 0
    with transaction.atomic():
        while batch := list(islice(tasks, BATCH_SIZE)):
            Task.objects.bulk_create(batch)
            stored += len(batch)
            reset_queries()  # with DEBUG each statement is kept, values and all
            on_batch(len(batch))
    return stored


def delete_in_batches(
    rows: "QuerySet[Any]",
    *,
    batch_size: int = BATCH_SIZE,
    on_batch: Callable[[int], object] = lambda count: None,
) -> int:
    """Delete rows, a batch at a time, each in a short transaction of its own.

    Others read and write meanwhile: only the rows of a batch are locked, for as long as its
    deletion takes. What no longer meets the conditions when its turn comes is kept.

    Args:
        rows: what to delete, without an order or a limit.
        batch_size: how many rows at a time.
        on_batch: called with the number of rows that a batch has just deleted; what it raises ends
            the work between two batches.

    Returns:
        How many rows were deleted.
    """
    deleted = 0
    ids = rows.order_by("id").values_list("id", flat=True)
    found = list(ids[:IDS_AT_ONCE])
    while found:
        for start in range(0, len(found), batch_size):
            batch = found[start : start + batch_size]
            # The conditions again, not only the ids: a row may have changed since they were read.
            count, _ = rows.filter(id__range=(batch[0], batch[-1])).delete()
            deleted += count
            on_batch(count)
        found = list(ids.filter(id__gt=found[-1])[:IDS_AT_ONCE])
    return deleted
