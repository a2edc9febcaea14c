"""Other names of the list options, as the front ends of other task APIs send them.

Source: docs/contract.md, "Extensions", other names of the options.
"""

import re
from collections.abc import Mapping, Sequence

from tasks.models import MAX_TASK_ID
from tasks.pagination import MAX_PAGE_SIZE, ORDER_FIELDS

# The other names of an option; the first one that is given counts.
STATE = ("status", "status_filter")
SORT = ("sort", "sort_by")
DIRECTION = ("order", "sort_order")
OFFSET = ("offset", "skip")
PAGE = ("page",)
SIZE = ("page_size", "per_page")
ALIASES = (*STATE, *SORT, *DIRECTION, *OFFSET, *PAGE, *SIZE)

STATES = {
    **dict.fromkeys(("completed", "done"), "true"),
    **dict.fromkeys(("pending", "incomplete", "active", "open"), "false"),
}
COMPLETED = {
    **dict.fromkeys(("1", "True", "yes"), "true"),
    **dict.fromkeys(("0", "False", "no"), "false"),
}
# Without underscores and in lower case, so that createdAt is created_at
FIELDS = {
    **{field.replace("_", ""): field for field in ORDER_FIELDS},
    "created": "created_at",
    "updated": "updated_at",
}
SORTED_BY = re.compile(r"(?P<sign>-?)(?P<field>\w+)(?::(?P<direction>asc|desc))?", re.IGNORECASE)
NUMBER = re.compile(r"[0-9]{1,100}", re.ASCII)  # int() of more digits takes too long


def own_options(query: Mapping[str, str]) -> dict[str, str]:
    """Translate the options of a query string into those of this API.

    Args:
        query: the last value of each option.

    Returns:
        The options, with ``offset`` if an alias asks to leave out that many tasks. An alias with an
        unknown value is ignored, and so is one whose own option is given.
    """
    options = {name: query[name] for name in query}
    completed = query.get("completed")
    if completed is None:
        completed = STATES.get(_first(query, STATE).lower(), "")
    options["completed"] = COMPLETED.get(completed, completed)
    if not options["completed"]:  # both states
        del options["completed"]
    options.pop("offset", None)
    return {**_ordering(query), **options, **_offset(query)}


def _first(query: Mapping[str, str], names: Sequence[str]) -> str:
    return next((query[name].strip() for name in names if name in query), "")


def _ordering(query: Mapping[str, str]) -> dict[str, str]:
    sort = SORTED_BY.fullmatch(_first(query, SORT))
    field = FIELDS.get(sort["field"].replace("_", "").lower()) if sort else None
    if sort is None or field is None:
        return {}
    direction = sort["direction"] or sort["sign"] or _first(query, DIRECTION)
    return {"ordering": f"-{field}" if direction.lower() in ("desc", "-") else field}


def _offset(query: Mapping[str, str]) -> dict[str, str]:
    """Return the number of tasks to leave out and the page size, if an alias asks for them."""
    if "cursor" in query:
        return {}
    size = _number(query, ("limit", *SIZE))
    limit = min(size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    skipped = _number(query, OFFSET)
    if skipped is None and (page := _number(query, PAGE)):
        skipped = (page - 1) * limit
        size = limit if "limit" not in query else size
    if skipped is None:
        return {}
    options = {"offset": str(min(skipped, MAX_TASK_ID))}
    return options if size is None else {**options, "limit": str(limit)}


def _number(query: Mapping[str, str], names: Sequence[str]) -> int | None:
    text = _first(query, names)
    return int(text) if NUMBER.fullmatch(text) else None
