"""What the tests make, and how they look at what is stored."""

from typing import Any

from tasks.maintenance.factories import TaskFactory
from tasks.models import Task

__all__ = ["TaskFactory", "rows"]


def rows() -> list[tuple[Any, ...]]:
    """Read every stored task, whoever it belongs to: what a refusal must leave as it was."""
    return list(Task.objects.order_by("id").values_list())
