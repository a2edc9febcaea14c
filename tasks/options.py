"""The options of the list: which tasks, in which order, how many at a time.

Source: contract.md "What goes beyond the plan", list options.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rest_framework.exceptions import ValidationError

from tasks.cursors import Cursor, decode_cursor
from tasks.models import TaskRow

MAX_LIMIT = 1000
LIMIT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
FIELDS = ("id", "created_at", "updated_at", "title", "completed")
ORDERINGS = (*FIELDS, *(f"-{field}" for field in FIELDS))


class OptionsError(ValidationError):
    """Options of the list are refused."""

    location = "query"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a client asked of the list.

    Args:
        completed: keep the tasks of this state; ``None`` keeps both.
        words: keep the tasks in whose title or description each of these occurs, case-folded.
        ordering: one of ``ORDERINGS``.
        limit: tasks on a page; ``None`` puts all of them on one.
        cursor: where the page lies; ``None`` is the first one.
        query: the options but for the cursor, for the links to the neighbouring pages.
    """

    completed: bool | None
    words: tuple[str, ...]
    ordering: str
    limit: int | None
    cursor: Cursor | None
    query: tuple[tuple[str, str], ...]

    def keeps(self, task: TaskRow) -> bool:
        """Tell whether each word occurs in the task's title or description.

        Here and not in SQL, where upper and lower case depend on the database's locale, and SQLite
        knows those of ASCII alone.
        """
        texts = [_folded(text) for text in (task.title, task.description or "")]
        return all(any(word in text for text in texts) for word in self.words)

    def link(self, cursor: Cursor, relation: str) -> str:
        """Write a link to a page, relative, so that it holds behind any proxy (RFC 8288)."""
        query = urlencode([*self.query, ("cursor", cursor.encode())])
        return f'<?{query}>; rel="{relation}"'


def read_options(query: Mapping[str, str]) -> ListOptions:
    """Read the options in a query; unknown ones are ignored.

    Args:
        query: the last value of each option.

    Raises:
        OptionsError: values are refused, each with a sentence that names what is accepted.
    """
    values: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for name, read in READERS.items():
        try:
            values[name] = read(query[name]) if name in query else None
        except ValueError:
            problems[name] = ValidationError(ACCEPTED[name], code="value_error.query").detail
    cursor, ordering = values.get("cursor"), values.get("ordering") or "id"
    if cursor is not None and "ordering" not in problems and cursor.ordering != ordering:
        problems["cursor"] = ValidationError(ACCEPTED["cursor"], code="value_error.query").detail
    if problems:
        raise OptionsError(problems)
    return ListOptions(
        completed=values["completed"],
        words=values["search"] or (),
        ordering=ordering,
        limit=values["limit"],
        cursor=cursor,
        query=tuple((name, query[name]) for name in LINKED if name in query),
    )


def _completed(value: str) -> bool:
    return bool(("false", "true").index(value))


def _folded(text: str) -> str:
    """Make upper and lower case the same, and the dotted capital I of Turkish an i like any."""
    return text.casefold().replace("i\u0307", "i")


def _search(value: str) -> tuple[str, ...]:
    return tuple(_folded(value).split())


def _ordering(value: str) -> str:
    return ORDERINGS[ORDERINGS.index(value)]


def _limit(value: str) -> int:
    if not LIMIT.fullmatch(value) or int(value) > MAX_LIMIT:
        raise ValueError(value)
    return int(value)


READERS: Mapping[str, Callable[[str], Any]] = {
    "completed": _completed,
    "search": _search,
    "ordering": _ordering,
    "limit": _limit,
    "cursor": decode_cursor,
}
LINKED = ("completed", "search", "ordering", "limit")
ACCEPTED = {
    "completed": "must be true or false",
    "ordering": f"must be one of {', '.join(FIELDS)}, or one of them after a -",
    "limit": f"must be a whole number from 1 to {MAX_LIMIT}",
    "cursor": "must be one that a Link header of this list gave, with the same ordering",
}
