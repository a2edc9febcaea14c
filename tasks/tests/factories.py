"""The task factory, and a snapshot of the stored tasks."""

from typing import Any

from tasks.maintenance.factories import TaskFactory
from tasks.models import Task

__all__ = ["TaskFactory", "rows"]


def rows() -> list[tuple[Any, ...]]:
    """Return every row of the task table, to check that a refused request changes nothing."""
    return list(Task.objects.order_by("id").values_list())
