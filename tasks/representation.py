"""A task as the bytes that clients get."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from tasks.models import TaskRow


def encode_task(task: TaskRow) -> bytes:
    """Encode one task.

    Source: contract.md "A task".
    """
    return orjson.dumps(_members(task))


def encode_tasks(tasks: Iterable[TaskRow]) -> bytes:
    """Encode a list of tasks, a plain array."""
    return orjson.dumps([_members(task) for task in tasks])


def _members(task: TaskRow) -> dict[str, Any]:
    members: dict[str, Any] = task._asdict()
    members["created_at"] = _moment(task.created_at)
    members["updated_at"] = _moment(task.updated_at)
    return members


def _moment(moment: datetime) -> str:
    """Write a moment in UTC with six digits, which orjson would leave out where they are zeros."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
