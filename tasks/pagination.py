"""Keyset pagination: a cursor is a sort key, never an offset.

Tasks that are added or deleted between two requests do not shift the pages.

Source: docs/contract.md, "Extensions", list options.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import F, Q
from django.db.models.functions import Collate

from authn.tokens import UNSTORABLE
from tasks.models import MAX_TASK_ID, TaskQuerySet, TaskRow
from tasks.statements import Clamped, check_deadline

MAX_PAGE_SIZE = 1000
# A page begins after or at its cursor's task, or ends before or at it.
FORWARDS = ("after", "from")
COMPLEMENT = {"after": "until", "until": "after", "before": "from", "from": "before"}
# The collation that sorts by code point (the byte order of UTF-8) in any locale, by vendor
CODE_POINTS = {"postgresql": "C", "sqlite": "BINARY"}
# The fields that a list can be ordered by, with the type of their values
ORDER_FIELDS = {
    "id": int,
    "created_at": datetime,
    "updated_at": datetime,
    "title": str,
    "completed": bool,
}
# When a filter in Python may drop most tasks, the minimum number per statement; and between two
# checks of the deadline
FILTER_BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in an ordered list.

    Args:
        ordering: a field name, with a leading ``-`` for descending order.
        side: where the page is, relative to the task: a key of ``COMPLEMENT``.
        value: the task's value for the ordering field.
        task_id: the task's id, which breaks ties.
    """

    ordering: str
    side: str
    value: Any
    task_id: int

    @classmethod
    def at(cls, task: TaskRow, ordering: str, side: str) -> "Cursor":
        """Return the cursor at a task."""
        return cls(ordering, side, task.values()[ordering.removeprefix("-")], task.id)

    @property
    def is_forwards(self) -> bool:
        """Whether the page is read in list order."""
        return self.side in FORWARDS

    def complement(self) -> "Cursor":
        """Return the cursor of the adjacent page on the other side."""
        return Cursor(self.ordering, COMPLEMENT[self.side], self.value, self.task_id)

    def encode(self) -> str:
        """Return the value of the ``cursor`` option."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        position = json.dumps([self.ordering, self.side, value, self.task_id], ensure_ascii=False)
        return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")

    def beyond(self, tasks: TaskQuerySet) -> TaskQuerySet:
        """Keep only the tasks on the cursor's ``side``."""
        field = self.ordering.removeprefix("-")
        is_greater = self.is_forwards != self.ordering.startswith("-")
        equal = "e" if self.side in ("from", "until") else ""
        if field == "id":  # a single index range, unlike the condition below
            return tasks.filter(
                **{f"id__{'gt' if is_greater else 'lt'}{equal}": self.task_id},
            )
        return _positioned(tasks, field).filter(
            Q(**{f"position__{'gt' if is_greater else 'lt'}": self.value})
            | Q(
                position=self.value,
                **{f"id__{'gt' if self.is_forwards else 'lt'}{equal}": self.task_id},
            )
        )


class Page(NamedTuple):
    """A page of the list.

    Args:
        tasks: the tasks, in list order.
        next: the cursor of the following page; ``None`` if there is none.
        previous: the cursor of the preceding page; ``None`` if there is none.
    """

    tasks: list[TaskRow]
    next: Cursor | None
    previous: Cursor | None


def read_page(
    tasks: TaskQuerySet,
    *,
    ordering: str,
    limit: int | None = None,
    cursor: Cursor | None = None,
    keeps: Callable[[TaskRow], bool] | None = None,
) -> Page:
    """Read a page of tasks.

    Args:
        tasks: the tasks to page through.
        ordering: a field name, with a leading ``-`` for descending order.
        limit: the maximum number of tasks; ``None`` reads all tasks from the position on.
        cursor: the page's position, with the same ordering; ``None`` reads the first page.
        keeps: a filter in Python, for conditions that SQL cannot evaluate.
    """
    is_forwards = cursor is None or cursor.is_forwards
    wanted = None if limit is None else limit + 1  # one more shows whether another page follows
    size = wanted if keeps is None or wanted is None else max(wanted, FILTER_BATCH_SIZE)
    found: list[TaskRow] = []
    position = cursor
    while True:
        rest = tasks if position is None else position.beyond(tasks)
        batch = list(in_order(rest, ordering, is_forwards=is_forwards)[:size].rows())
        found += batch if keeps is None else _filtered(batch, keeps, tasks.db)
        if size is None or wanted is None or len(batch) < size or len(found) >= wanted:
            break
        position = Cursor.at(batch[-1], ordering, "after" if is_forwards else "before")
    page = found[:limit] if is_forwards else found[:limit][::-1]
    if limit is None:
        return Page(page, None, None)
    has_more = len(found) > limit
    # An empty page has one neighbour, on the other side of its cursor; without a cursor, none.
    edge = cursor and cursor.complement()
    first = Cursor.at(page[0], ordering, "before") if page else edge
    last = Cursor.at(page[-1], ordering, "after") if page else edge
    return Page(
        page,
        next=last if has_more or not is_forwards else None,
        previous=first if cursor is not None and (has_more or is_forwards) else None,
    )


def read_rest(
    tasks: TaskQuerySet,
    ordering: str,
    offset: int,
    limit: int | None,
    keeps: Callable[[TaskRow], bool] | None,
) -> Page:
    """Read a page that begins after a number of tasks, without cursors to its neighbours.

    Args:
        tasks: the tasks to page through.
        ordering: a field name, with a leading ``-`` for descending order.
        offset: the number of tasks to leave out.
        limit: the maximum number of tasks; ``None`` reads all others.
        keeps: a filter in Python, for conditions that SQL cannot evaluate.
    """
    end = None if limit is None else offset + limit
    ordered = in_order(tasks, ordering)
    if keeps is None:
        return Page(list(ordered[offset:end].rows()), None, None)
    return Page([*islice(_filtered(ordered.rows(), keeps, tasks.db), offset, end)], None, None)


def _filtered(
    tasks: Iterable[TaskRow], keeps: Callable[[TaskRow], bool], using: str
) -> Iterator[TaskRow]:
    """Yield the tasks to keep, until the request's deadline."""
    for number, task in enumerate(tasks):
        if number % FILTER_BATCH_SIZE == 0:
            check_deadline(using)
        if keeps(task):
            yield task


def in_order(tasks: TaskQuerySet, ordering: str, *, is_forwards: bool = True) -> TaskQuerySet:
    """Sort tasks; ties are broken by ascending id.

    Args:
        tasks: the tasks.
        ordering: a field name, with a leading ``-`` for descending order.
        is_forwards: ``False`` reverses the order, to read a page backwards.
    """
    is_descending = ordering.startswith("-") == is_forwards
    position = F("position").desc() if is_descending else F("position").asc()
    return _positioned(tasks, ordering.removeprefix("-")).order_by(
        position, "id" if is_forwards else "-id"
    )


def decode_cursor(text: str) -> Cursor:
    """Parse the ``cursor`` option.

    Raises:
        ValueError: the text is not a valid cursor.
    """
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    try:
        ordering, side, value, task_id = json.loads(base64.b64decode(padded, b"-_", validate=True))
        kind = ORDER_FIELDS[ordering.removeprefix("-")]
        if kind is datetime:
            value = _utc(value)
        is_side = side in COMPLEMENT
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError):
        raise ValueError(text) from None
    if not is_side or type(value) is not kind or type(task_id) is not int:
        raise ValueError(text)
    if not _is_storable(value) or not _is_storable(task_id):
        raise ValueError(text)
    return Cursor(ordering, side, value, task_id)


def _utc(text: str) -> datetime:
    """Parse an aware datetime and convert it to UTC; the databases do not accept every offset."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(text)
    return value.astimezone(UTC)


def _is_storable(value: Any) -> bool:
    """Return whether the database accepts a value as a parameter."""
    if isinstance(value, int):
        return abs(value) <= MAX_TASK_ID
    return not (isinstance(value, str) and UNSTORABLE.search(value))


def _positioned(tasks: TaskQuerySet, field: str) -> TaskQuerySet:
    """Alias the ordering expression as ``position``."""
    if field == "title":
        collation = CODE_POINTS[connections[tasks.db].vendor]
        return tasks.alias(position=Collate("title", collation))
    if ORDER_FIELDS[field] is datetime:
        return tasks.alias(position=Clamped(field))
    return tasks.alias(position=F(field))
