"""The tests' factories and their view of the stored rows."""

from typing import Any

from tasks.maintenance.factories import TaskFactory
from tasks.models import Task

__all__ = ["TaskFactory", "rows"]


def rows() -> list[tuple[Any, ...]]:
    """Return every stored task; a refusal must not change them."""
    return list(Task.objects.order_by("id").values_list())
