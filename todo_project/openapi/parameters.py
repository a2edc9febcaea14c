"""What a request may have beside its body."""

from typing import Any

from tasks.idempotency import ACCEPTED_KEY
from tasks.list_options import ORDERINGS
from tasks.pagination import MAX_PAGE_SIZE
from todo_project.openapi.schemas import TASK, TASK_ID


def _parameter(place: str, name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": {"type": "string", **schema},
    }


PARAMETERS = {
    "user_id": _parameter("path", "user_id", "The token's user.", minLength=1, pattern="^[^/]+$")
    | {"example": TASK["user_id"]},
    "task_id": _parameter("path", "task_id", "Whatever is no id is a missing task.", **TASK_ID)
    | {"example": TASK["id"]},
    "completed": _parameter("query", "completed", "Keep the tasks of this state.", type="boolean"),
    "search": _parameter(
        "query",
        "search",
        "Keep the tasks that have each of these words in the title or the description, taken"
        " literally, in any case.",
    ),
    "ordering": _parameter(
        "query",
        "ordering",
        "Sort, descending after a `-`; titles by code point, equals by `id`. By default `id`.",
        enum=list(ORDERINGS),
    ),
    "limit": _parameter(
        "query",
        "limit",
        "Tasks on a page; the header `Link` has its neighbours. By default all tasks.",
        type="integer",
        minimum=1,
        maximum=MAX_PAGE_SIZE,
    ),
    "cursor": _parameter(
        "query",
        "cursor",
        "Where the page lies: what a `Link` of this list gave, with the same `ordering`.",
    ),
    "If-None-Match": _parameter(
        "header", "If-None-Match", "Versions that the client has: a 304 where one still holds."
    ),
    "If-Match": _parameter(
        "header",
        "If-Match",
        "The version that is meant: a 412 where the task has changed since. `*` is any; a weak tag"
        " never matches.",
    ),
    "Idempotency-Key": _parameter(
        "header",
        "Idempotency-Key",
        "The same key, user and JSON value again give the first task again, as it is now, and never"
        " a second one. The same key with another body is a 422. Kept for at least 24 hours.",
        pattern=f"^{ACCEPTED_KEY.pattern}$",
    ),
    "X-Request-ID": _parameter(
        "header",
        "X-Request-ID",
        "An id for this request, 1 to 128 characters of `A-Za-z0-9._-`; another is not taken.",
    ),
}
