"""What each endpoint does, takes and answers."""

from typing import Any, NamedTuple

from todo_project.openapi.schemas import FLIPPED, TASK


class Success(NamedTuple):
    """An answer to a request that is not refused.

    Args:
        description: what it is.
        headers: the names of its headers, beside those that every answer has.
        body: an example; ``None`` where there is no body.
        schema: the name of the body's schema; of a task it is read from the serializer.
        links: the names of the operations that it leads to.
    """

    description: str
    headers: tuple[str, ...] = ()
    body: Any = None
    schema: str = ""
    links: tuple[str, ...] = ()


class Operation(NamedTuple):
    """A method on a path.

    Args:
        name: the operation's id.
        summary: what it does, in a few words.
        description: what else there is to know.
        parameters: the names of its parameters' components.
        successes: its answers by status.
        refusals: the names of its other answers' components.
        bodies: examples of what is sent; none where no body is read.
    """

    name: str
    summary: str
    description: str
    parameters: tuple[str, ...]
    successes: dict[int, Success]
    refusals: tuple[str, ...]
    bodies: dict[str, Any] | None = None


# Where an answer leads: the operations on the task in its body.
LINKS: dict[str, dict[str, Any]] = {
    name: {
        "operationId": name,
        "parameters": {
            "user_id": "$response.body#/user_id",
            "task_id": "$response.body#/id",
        },
    }
    for name in ("readTask", "updateTask", "flipTask", "deleteTask")
}

# What any request of a user may be refused for; with a body, there is more.
CALL = ("BadHost", "Unauthorized", "Forbidden", "MethodNotAllowed", "TooManyRequests")
CALL_WITH_BODY = ("BadBody", *CALL[1:], "BodyTooLarge", "UnsupportedMediaType")
FAULTS = ("InternalServerError", "ServiceUnavailable")

LIST_PARAMETERS = ("completed", "search", "ordering", "limit", "cursor")
KEPT = ("ETag", "Cache-Control-Kept")
KNOWN = "The client has it already."
CHANGED = "The task as it is now."

# By action of the view set.
TASK_OPERATIONS = {
    "list": Operation(
        "listTasks",
        "List the tasks",
        "Oldest first, a plain array. An unknown option is ignored.",
        ("user_id", *LIST_PARAMETERS, "If-None-Match", "X-Request-ID"),
        {
            200: Success("The tasks.", (*KEPT, "Link"), [TASK]),
            304: Success(KNOWN, (*KEPT, "Link")),
        },
        (*CALL, "NoSuchPath", "InvalidOptions", *FAULTS),
    ),
    "create": Operation(
        "createTask",
        "Create a task",
        "What a client may not set, and unknown fields, are ignored. A body with the `id` and the"
        " `created_at` of one of the caller's tasks, and nothing changed in it, is that task: there"
        " is no second one. With an `Idempotency-Key` the key decides.",
        ("user_id", "Idempotency-Key", "X-Request-ID"),
        {
            201: Success(
                "The new task, or the one that was created before.",
                ("ETag", "Idempotent-Replayed"),
                TASK,
                links=tuple(LINKS),
            )
        },
        (*CALL_WITH_BODY, "FirstTaskDeleted", "InvalidNewTask", *FAULTS),
        {
            "title": {"title": TASK["title"]},
            "everything": {"title": "Call Ada", "description": "About Friday", "completed": True},
        },
    ),
    "retrieve": Operation(
        "readTask",
        "Read a task",
        "As it is now.",
        ("user_id", "task_id", "If-None-Match", "X-Request-ID"),
        {200: Success("The task.", KEPT, TASK), 304: Success(KNOWN, KEPT)},
        (*CALL, "TaskNotFound", *FAULTS),
    ),
    "update": Operation(
        "updateTask",
        "Change a task",
        "Writes the fields that are sent. What is absent stays as it is, and so does a `title` or"
        " `completed` that is `null`. `{}` changes `updated_at` and nothing else.",
        ("user_id", "task_id", "If-Match", "X-Request-ID"),
        {200: Success(CHANGED, ("ETag",), TASK)},
        (*CALL_WITH_BODY, "InvalidChanges", "TaskNotFound", "TaskChanged", *FAULTS),
        {
            "title": {"title": "Buy groceries for two"},
            "no_description": {"description": None},
            "whole_task": TASK,
        },
    ),
    "destroy": Operation(
        "deleteTask",
        "Delete a task for good",
        "Of several requests at once exactly one gets the 204.",
        ("user_id", "task_id", "If-Match", "X-Request-ID"),
        {204: Success("It is gone.")},
        (*CALL, "TaskNotFound", "TaskChanged", *FAULTS),
    ),
    "complete": Operation(
        "flipTask",
        "Flip whether a task is completed",
        "Reads no body. Of several requests at once every one counts, and each answer shows its own"
        " flip.",
        ("user_id", "task_id", "If-Match", "X-Request-ID"),
        {200: Success(CHANGED, ("ETag",), FLIPPED)},
        (*CALL, "TaskNotFound", "TaskChanged", *FAULTS),
    ),
}


def _open(name: str, summary: str, description: str, success: Success, *more: str) -> Operation:
    """Describe what anybody may read."""
    refusals = ("BadHost", "MethodNotAllowed", "InternalServerError", *more)
    return Operation(name, summary, description, ("X-Request-ID",), {200: success}, refusals)


# By path.
OPEN_OPERATIONS = {
    "/": _open(
        "root",
        "What is this?",
        "Touches no database.",
        Success(
            "The service.",
            (),
            {"message": "Todo back end", "status": "healthy", "docs": "/docs"},
            "Service",
        ),
    ),
    "/health": _open(
        "health",
        "Is the process alive?",
        "Touches no database.",
        Success("It is.", (), {"status": "healthy", "timestamp": TASK["created_at"]}, "Health"),
    ),
    "/health/ready": _open(
        "ready",
        "Can it do its work?",
        "Answers within two seconds or so.",
        Success(
            "The database answers, and its tables are there.",
            (),
            {"status": "ready", "timestamp": TASK["created_at"]},
            "Readiness",
        ),
        "ServiceUnavailable",
    ),
}
