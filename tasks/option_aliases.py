"""Other names of the list options, as the front ends of other task APIs send them.

Source: docs/contract.md, "Extensions", other names of the options.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from tasks.models import MAX_TASK_ID
from tasks.pagination import MAX_PAGE_SIZE, ORDER_FIELDS

# The other names of an option; the first one that has a known value counts.
STATE = ("status", "status_filter")
SORT = ("sort", "sort_by")
DIRECTION = ("order", "sort_order")
OFFSET = ("offset", "skip")
PAGE = ("page",)
SIZE = ("page_size", "per_page")
ALIASES = frozenset((*STATE, *SORT, *DIRECTION, *OFFSET, *PAGE, *SIZE))

STATES = {
    **dict.fromkeys(("completed", "done"), "true"),
    **dict.fromkeys(("pending", "incomplete", "active", "open"), "false"),
    **dict.fromkeys(("all", ""), ""),
}
# Values of ``completed`` itself; an empty one keeps both states, as in ``STATES``.
COMPLETED = {
    **dict.fromkeys(("1", "True", "yes"), "true"),
    **dict.fromkeys(("0", "False", "no"), "false"),
    "": "",
}
# Without underscores and in lower case, so that createdAt is created_at
FIELDS = {
    **{field.replace("_", ""): field for field in ORDER_FIELDS},
    "created": "created_at",
    "updated": "updated_at",
}
SORTED_BY = re.compile(r"(?P<sign>-?)(?P<field>\w+)(?::(?P<direction>asc|desc))?", re.IGNORECASE)
NUMBER = re.compile(r"[0-9]{1,100}", re.ASCII)  # int() of more digits takes too long
MAX_OFFSET = MAX_TASK_ID - MAX_PAGE_SIZE  # the end of the page must be a 64-bit number too


def has_aliases(query: Mapping[str, str]) -> bool:
    """Return whether a query has another name of an option, or another value of ``completed``."""
    return query.get("completed") in COMPLETED or not ALIASES.isdisjoint(query)


def own_options(query: Mapping[str, str]) -> dict[str, str]:
    """Translate the options of a query string into those of this API.

    Args:
        query: the last value of each option.

    Returns:
        The options, with ``offset`` if an alias asks to leave out that many tasks. An alias with an
        unknown value is ignored, and so is one whose own option is given.
    """
    options = {name: query[name] for name in query if name not in ALIASES}
    completed = query.get("completed")
    if completed is None:
        states = (STATES.get(value.lower()) for value in _values(query, STATE))
        completed = next((state for state in states if state is not None), "")
    options["completed"] = COMPLETED.get(completed, completed)
    if not options["completed"]:  # both states
        del options["completed"]
    return {**_ordering(query), **options, **_offset(query)}


def _values(query: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    return (query[name].strip() for name in names if name in query)


def _ordering(query: Mapping[str, str]) -> dict[str, str]:
    for sort in map(SORTED_BY.fullmatch, _values(query, SORT)):
        if sort and (field := FIELDS.get(sort["field"].replace("_", "").lower())):
            given = next(_values(query, DIRECTION), "")
            direction = sort["direction"] or sort["sign"] or given
            return {"ordering": f"-{field}" if direction.lower() in ("desc", "-") else field}
    return {}


def _offset(query: Mapping[str, str]) -> dict[str, str]:
    """Return the number of tasks to leave out and the page size, if an alias asks for them."""
    if "cursor" in query or not {*OFFSET, *PAGE} & query.keys():
        return {}
    size = _number(query, ("limit",) if "limit" in query else SIZE)
    if size is not None:
        size = min(size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    skipped, page = _number(query, OFFSET), _number(query, PAGE)
    if skipped is None and page:
        # Without a size, the first page is the whole list.
        skipped = (page - 1) * (size or MAX_OFFSET)
    return {
        **({} if size is None else {"limit": str(size)}),
        **({} if skipped is None else {"offset": str(min(skipped, MAX_OFFSET))}),
    }


def _number(query: Mapping[str, str], names: Sequence[str]) -> int | None:
    texts = _values(query, names)
    return next((int(text) for text in texts if NUMBER.fullmatch(text)), None)
