"""What bodies look like, beyond what drf-spectacular reads from the serializer."""

from typing import Any

from tasks.models import DESCRIPTION_MAX_LENGTH, MAX_TASK_ID, TITLE_MAX_LENGTH, USER_ID_MAX_LENGTH
from tasks.serializers import PROBLEMS, WHITE_SPACE

TASK: dict[str, Any] = {
    "id": 1042,
    "user_id": "user123",
    "title": "Buy groceries",
    "description": None,
    "completed": False,
    "created_at": "2026-01-06T15:30:00.123456Z",
    "updated_at": "2026-01-06T15:30:00.123456Z",
}
FLIPPED = TASK | {"completed": True, "updated_at": "2026-01-06T16:02:11.480250Z"}

MOMENT = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}
BLANK = "".join(f"\\u{ord(letter):04x}" for letter in WHITE_SPACE)
NO_NUL = r"^[^\u0000]*$"
NOT_BLANK = rf"^[^\u0000]*[^\u0000{BLANK}][^\u0000]*$"
TASK_ID = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_TASK_ID}

# What is said of each field of a task, in answers and in requests.
FIELDS: dict[str, dict[str, Any]] = {
    "id": TASK_ID | {"description": "Unique among all tasks."},
    "user_id": {
        "minLength": 1,
        "maxLength": USER_ID_MAX_LENGTH,
        "description": "Whose task it is: the user of the token.",
    },
    "title": {"description": "Kept exactly as it was sent."},
    "description": {"description": 'Kept exactly as it was sent; `""` is not `null`.'},
    "completed": {},
    "created_at": MOMENT | {"description": "UTC. Never changes."},
    "updated_at": MOMENT | {"description": "UTC. Moves strictly forward with every change."},
}
# What a client may send, where its serializer does not say it.
SENT: dict[str, dict[str, Any]] = {
    "title": {
        "minLength": 1,
        "maxLength": TITLE_MAX_LENGTH,
        "pattern": NOT_BLANK,
        "description": "Not only white space; no NUL and no lone surrogate.",
    },
    "description": {
        "maxLength": DESCRIPTION_MAX_LENGTH,
        "pattern": NO_NUL,
        "description": 'No NUL and no lone surrogate; `""` is kept and differs from `null`.',
    },
    "completed": {},
}
TASKS = {
    "Task": "A task, with its members in this order.",
    "NewTask": "A task to be created. A `completed` that is absent is `false`.",
    "TaskChanges": "The fields to be changed. A `title` or `completed` that is `null` stays as it"
    " is; a `description` that is `null` is cleared.",
}


def _object(description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    """Describe an object that has exactly these properties."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SENTENCE = {"type": "string", "description": "One sentence that a page can show as it is."}
SCHEMAS = {
    "Error": _object(
        "Why a request is refused.",
        detail={"type": "string", "description": "What programs read."},
        error=SENTENCE,
    ),
    "ValidationError": _object(
        "Every field, option or header that is wrong, one entry each.",
        detail={"type": "array", "items": {"$ref": "#/components/schemas/Problem"}, "minItems": 1},
        error=SENTENCE,
    ),
    "Problem": _object(
        "What is wrong with one field, option or header.",
        loc={
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": 2,
            "description": "`body`, `query` or `header`, and the name in it;"
            " `body` alone where that is not an object.",
        },
        msg={"type": "string"},
        type={
            "type": "string",
            "enum": sorted(
                {kind for _, kind in PROBLEMS.values()}
                | {"value_error.query", "value_error.idempotency"}
            ),
        },
    ),
    "Health": _object(
        "The process is alive.", status={"type": "string", "const": "healthy"}, timestamp=MOMENT
    ),
    "Readiness": _object(
        "Requests can be served.", status={"type": "string", "const": "ready"}, timestamp=MOMENT
    ),
    "Service": _object(
        "What answers here.",
        message={"type": "string"},
        status={"type": "string", "const": "healthy"},
        docs={"type": "string", "description": "Where this document is shown, if it is."},
    )
    | {"required": ["message", "status"]},
}
