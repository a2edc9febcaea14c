"""A task as a line of JSON Lines."""

import json
from typing import Any

LINE: dict[str, Any] = {
    "id": 7,
    "user_id": "alice",
    "title": "Buy milk",
    "description": None,
    "completed": False,
    "created_at": "2026-01-06T15:30:00.123456Z",
    "updated_at": "2026-01-06T15:30:00.123456Z",
}


def line(**values: Any) -> bytes:
    """Return ``LINE``, with fields replaced or added, as a line of JSON Lines."""
    return json.dumps(LINE | values).encode() + b"\n"
