"""A task as the bytes that clients get."""

from collections.abc import Iterable
from typing import Any

import orjson

from tasks.models import TaskRow

MOMENTS_IN_UTC = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def encode_task(row: tuple[Any, ...]) -> bytes:
    """Encode one task.

    Args:
        row: a ``TaskRow``, or a plain tuple of the same.

    Source: contract.md "A task".
    """
    return orjson.dumps(_members(row), option=MOMENTS_IN_UTC)


def encode_tasks(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Encode a list of tasks, a plain array."""
    return orjson.dumps([_members(row) for row in rows], option=MOMENTS_IN_UTC)


def _members(row: tuple[Any, ...]) -> dict[str, Any]:
    members = dict(zip(TaskRow._fields, row, strict=True))
    for name in ("created_at", "updated_at"):
        if not members[name].microsecond:  # orjson would leave the six digits out
            members[name] = f"{members[name].isoformat(timespec='microseconds')}Z"
    return members
