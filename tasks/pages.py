"""Reading the list, or a page of it, as its options ask.

Source: contract.md "What goes beyond the plan", list options; RFC 8288.
"""

from collections.abc import Iterator

from tasks.cursors import Cursor, in_order
from tasks.models import TaskQuerySet, TaskRow
from tasks.options import ListOptions

# How many tasks are read at a time where the words, which SQL does not compare, may keep few.
SEARCH_BATCH_SIZE = 1000


def read_page(tasks: TaskQuerySet, options: ListOptions) -> tuple[list[TaskRow], str]:
    """Read the tasks that the options ask for.

    Args:
        tasks: all that the caller can see.
        options: what it asked for.

    Returns:
        The tasks in their order, and the value of the ``Link`` header, empty where there are no
        neighbouring pages.
    """
    if options.completed is not None:
        tasks = tasks.filter(completed=options.completed)
    is_forwards = options.cursor is None or options.cursor.is_forwards
    found = _read(tasks, options, is_forwards=is_forwards)
    has_more = options.limit is not None and len(found) > options.limit
    page = found[: options.limit]
    if not is_forwards:
        page.reverse()
    return page, ", ".join(_links(page, options, has_more=has_more, is_forwards=is_forwards))


def _read(tasks: TaskQuerySet, options: ListOptions, *, is_forwards: bool) -> list[TaskRow]:
    """Read the page and one task more, in batches where the words may keep few of each."""
    wanted = None if options.limit is None else options.limit + 1
    size = max(wanted, SEARCH_BATCH_SIZE) if wanted and options.words else wanted
    found: list[TaskRow] = []
    cursor = options.cursor
    while True:
        rest = tasks if cursor is None else cursor.beyond(tasks)
        batch = list(in_order(rest, options.ordering, is_forwards=is_forwards)[:size].rows())
        found += filter(options.keeps, batch)
        if size is None or wanted is None or len(batch) < size or len(found) >= wanted:
            return found
        cursor = Cursor.at(batch[-1], options.ordering, "after" if is_forwards else "before")


def _links(
    page: list[TaskRow], options: ListOptions, *, has_more: bool, is_forwards: bool
) -> Iterator[str]:
    """Link to the page after this one and to the one before, where there can be any."""
    if options.limit is None:
        return
    came_from = options.cursor
    if has_more or not is_forwards:
        yield options.link(_end_of(page, -1, "after", options), "next")
    if came_from is not None and (has_more or is_forwards):
        yield options.link(_end_of(page, 0, "before", options), "prev")


def _end_of(page: list[TaskRow], end: int, side: str, options: ListOptions) -> Cursor:
    """Return the position at an end of a page; where that is empty, the one it was read from."""
    if options.cursor is not None and not page:
        return options.cursor.complement()
    return Cursor.at(page[end], options.ordering, side)
