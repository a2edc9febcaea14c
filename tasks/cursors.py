"""Where a page of the list lies: beyond a task, and not behind so many of them.

A position is a key and not an offset, so that tasks which come and go elsewhere move nothing.

Source: contract.md "What goes beyond the plan", list options.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.db.models import F, Q
from django.db.models.functions import Collate

from authn.tokens import UNSTORABLE
from tasks.models import MAX_TASK_ID, TaskQuerySet, TaskRow
from tasks.statements import aware

# a page begins after a task or with it, or ends before a task or with it
FORWARDS = ("after", "from")
BACKWARDS = ("before", "until")
COMPLEMENT = {"after": "until", "until": "after", "before": "from", "from": "before"}
# by code point, which is the order of the bytes of UTF-8, and not that of a language
CODE_POINTS = {"postgresql": "C", "sqlite": "BINARY"}
KINDS = {
    "id": int,
    "created_at": datetime,
    "updated_at": datetime,
    "title": str,
    "completed": bool,
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the list.

    Args:
        ordering: the option, ``id`` or ``-title``.
        side: which side of the task the page lies on, one of ``COMPLEMENT``.
        value: what the task has in the column that is ordered by.
        task_id: its id, which decides between equal values.
    """

    ordering: str
    side: str
    value: Any
    task_id: int

    @classmethod
    def at(cls, task: TaskRow, ordering: str, side: str) -> "Cursor":
        """Make the position of a task."""
        value = getattr(task, ordering.removeprefix("-"))
        return cls(ordering, side, aware(value) if isinstance(value, datetime) else value, task.id)

    @property
    def is_forwards(self) -> bool:
        """Whether the page is read in the order of the list."""
        return self.side in FORWARDS

    def complement(self) -> "Cursor":
        """Return the position of the page that begins where this one ends."""
        return Cursor(self.ordering, COMPLEMENT[self.side], self.value, self.task_id)

    def encode(self) -> str:
        """Return it as the value of the option ``cursor``."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        position = json.dumps([self.ordering, self.side, value, self.task_id], ensure_ascii=False)
        return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")

    def beyond(self, tasks: TaskQuerySet) -> TaskQuerySet:
        """Keep the tasks on the cursor's side of its position."""
        field = self.ordering.removeprefix("-")
        is_greater = self.is_forwards != self.ordering.startswith("-")
        equal = "e" if self.side in ("from", "until") else ""
        if field == "id":  # one range of the index, which the condition below would not be
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


def in_order(tasks: TaskQuerySet, ordering: str, *, is_forwards: bool = True) -> TaskQuerySet:
    """Sort tasks, those with equal values by their ids, the older first.

    Args:
        tasks: the tasks.
        ordering: a field's name, after a ``-`` where the greatest comes first.
        is_forwards: whether to begin at the beginning.
    """
    is_descending = ordering.startswith("-") == is_forwards
    position = F("position").desc() if is_descending else F("position").asc()
    return _positioned(tasks, ordering.removeprefix("-")).order_by(
        position, "id" if is_forwards else "-id"
    )


def decode_cursor(text: str) -> Cursor:
    """Read the option ``cursor``.

    Raises:
        ValueError: it is none.
    """
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    try:
        ordering, side, value, task_id = json.loads(base64.b64decode(padded, b"-_", validate=True))
        kind = KINDS[ordering.removeprefix("-")]
        if kind is datetime:
            value = _moment(value)
        is_side = side in COMPLEMENT
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError):
        raise ValueError(text) from None  # of another shape
    if not is_side or type(value) is not kind or type(task_id) is not int:
        raise ValueError(text)
    if not _is_storable(value) or not _is_storable(task_id):
        raise ValueError(text)
    return Cursor(ordering, side, value, task_id)


def _moment(text: str) -> datetime:
    """Read a moment into UTC: in another zone there are some that no database here can hold."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _is_storable(value: Any) -> bool:
    """Tell whether the database can compare with a value."""
    if isinstance(value, int):
        return abs(value) <= MAX_TASK_ID
    return not (isinstance(value, str) and UNSTORABLE.search(value))


def _positioned(tasks: TaskQuerySet, field: str) -> TaskQuerySet:
    """Name what is ordered by ``position``."""
    if field == "title":
        collation = CODE_POINTS[connections[tasks.db].vendor]
        return tasks.alias(position=Collate("title", collation))
    return tasks.alias(position=F(field))
