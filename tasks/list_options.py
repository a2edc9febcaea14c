"""Query options of the task list: filtering, ordering and pagination.

Source: docs/contract.md, "Extensions", list options.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rest_framework.exceptions import ValidationError

from tasks.models import TaskQuerySet, TaskRow
from tasks.option_aliases import has_aliases, own_options
from tasks.pagination import (
    MAX_PAGE_SIZE,
    ORDER_FIELDS,
    Cursor,
    Page,
    decode_cursor,
    read_page,
    read_rest,
)

LIMIT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
MAX_SEARCH_LENGTH = 200  # characters
MAX_SEARCH_WORDS = 20
ORDERINGS = (*ORDER_FIELDS, *(f"-{field}" for field in ORDER_FIELDS))


class OptionsError(ValidationError):
    """Invalid list options."""

    location = "query"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The parsed list options of a request.

    Args:
        completed: keep only tasks in this state; ``None`` keeps both.
        words: keep only tasks with each of these case-folded words in the title or description.
        ordering: one of ``ORDERINGS``.
        limit: the page size, 1 to 1000; ``None`` does not paginate.
        cursor: the position of the page; ``None`` is the first page.
        offset: the number of tasks to leave out; ``None`` paginates by cursors.
        query: the given options except the cursor, repeated in the links to other pages.
    """

    completed: bool | None
    words: tuple[str, ...]
    ordering: str
    limit: int | None
    cursor: Cursor | None
    offset: int | None
    query: tuple[tuple[str, str], ...]

    def page(self, tasks: TaskQuerySet) -> Page:
        """Read the page of tasks that the options select.

        Args:
            tasks: all of the caller's tasks.
        """
        if self.completed is not None:
            tasks = tasks.filter(completed=self.completed)
        keeps = self._has_words if self.words else None
        if self.offset is not None:
            return read_rest(tasks, self.ordering, self.offset, self.limit, keeps)
        return read_page(
            tasks, ordering=self.ordering, limit=self.limit, cursor=self.cursor, keeps=keeps
        )

    def link_header(self, page: Page) -> str:
        """Return the ``Link`` header of a page; empty if the page has no neighbours.

        The targets are relative references, so they work behind any proxy.

        Source: RFC 8288.
        """
        return ", ".join(
            f'<?{urlencode([*self.query, ("cursor", cursor.encode())])}>; rel="{relation}"'
            for relation, cursor in (("next", page.next), ("prev", page.previous))
            if cursor is not None
        )

    def _has_words(self, task: TaskRow) -> bool:
        """Return whether the title or description contains each word.

        This is done in Python, because case folding in SQL depends on the locale (PostgreSQL) or
        covers only ASCII (SQLite).
        """
        text = _folded(f"{task.title}\n{task.description or ''}")  # no word has a line break
        return all(word in text for word in self.words)


def read_options(query: Mapping[str, str]) -> ListOptions:
    """Parse the options of a query string, also by other names; unknown options are ignored.

    Args:
        query: the last value of each option.

    Raises:
        OptionsError: one or more values are invalid; each error states the accepted values.
    """
    if has_aliases(query):
        query = own_options(query)
    values: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for name, parse in PARSERS.items():
        try:
            values[name] = parse(query[name]) if name in query else None
        except ValueError:
            problems[name] = _problem(name)
    cursor, ordering = values.get("cursor"), values.get("ordering") or "id"
    if cursor is not None and "ordering" not in problems and cursor.ordering != ordering:
        problems["cursor"] = _problem("cursor")
    if problems:
        raise OptionsError(problems)
    return ListOptions(
        completed=values["completed"],
        words=values["search"] or (),
        ordering=ordering,
        limit=values["limit"],
        cursor=cursor,
        offset=values["offset"],
        query=tuple((name, query[name]) for name in PARSERS if name in query and name != "cursor"),
    )


def _problem(name: str) -> Any:
    return ValidationError(ACCEPTED[name], code="value_error.query").detail


def _completed(value: str) -> bool:
    return bool(("false", "true").index(value))


def _folded(text: str) -> str:
    """Case-fold a text; the Turkish dotted capital I becomes a plain i."""
    return text.casefold().replace("i\u0307", "i")


def _search(value: str) -> tuple[str, ...]:
    """Return the words, without those that occur in another one."""
    words = sorted({*_folded(value).split()}, key=len)
    if len(value) > MAX_SEARCH_LENGTH or len(words) > MAX_SEARCH_WORDS:
        raise ValueError(value)
    return tuple(
        word
        for number, word in enumerate(words, 1)
        if not any(word in longer for longer in words[number:])
    )


def _ordering(value: str) -> str:
    return ORDERINGS[ORDERINGS.index(value)]


def _limit(value: str) -> int:
    if not LIMIT.fullmatch(value) or int(value) > MAX_PAGE_SIZE:
        raise ValueError(value)
    return int(value)


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "completed": _completed,
    "search": _search,
    "ordering": _ordering,
    "limit": _limit,
    "cursor": decode_cursor,
    "offset": int,  # from an alias, which has checked it
}
ACCEPTED = {
    "completed": "must be true or false",
    "search": (
        f"must be at most {MAX_SEARCH_WORDS} different words and {MAX_SEARCH_LENGTH} characters"
    ),
    "ordering": f"must be one of {', '.join(ORDER_FIELDS)}, or one of them after a -",
    "limit": f"must be a whole number from 1 to {MAX_PAGE_SIZE}",
    "cursor": "must be one that a Link header of this list gave, with the same ordering",
}
