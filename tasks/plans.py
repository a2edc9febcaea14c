"""What each endpoint does with the tasks that its caller can see: six plans, compiled once each.

Source: issue "Faster than FastAPI, near what Python can do".
"""

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from django.db.models import F, Value
from rest_framework.generics import GenericAPIView

from authn.principals import Principal
from tasks.models import TaskQuerySet
from tasks.statements import Parameter, Statement

OWNER = Parameter("owner")
TASK_ID = Parameter("task_id")

Plan = Callable[..., Statement]


@lru_cache(maxsize=64)  # six, and the sets of fields; a test that narrows the scope adds its own
def prepared(
    view: type[GenericAPIView[Any]], scope: Callable[[Any], Any], plan: Plan, *fields: str
) -> Statement:
    """Compile a plan for whoever calls: the caller's id is a parameter.

    Args:
        view: the view.
        scope: its ``get_queryset``, whose conditions may depend on nothing but the caller's id.
        plan: what is done with the tasks in it.
        fields: the names of what is written.

    Returns:
        A statement that takes the parameters ``owner``, ``task_id``, ``now`` and ``fields``.
    """
    anybody = SimpleNamespace(user=Principal(OWNER))
    return plan(scope(view(request=anybody, kwargs={"user_id": OWNER})), *fields)


def read_all(tasks: TaskQuerySet) -> Statement:
    """List the tasks, oldest first."""
    return tasks.order_by("id").reading()


def read_one(tasks: TaskQuerySet) -> Statement:
    """Read a task."""
    return _one(tasks).reading()


def write(tasks: TaskQuerySet, *fields: str) -> Statement:
    """Write these fields of a task."""
    return _one(tasks).changing(**{field: Value(Parameter(field)) for field in fields})


def flip(tasks: TaskQuerySet) -> Statement:
    """Flip ``completed``."""
    return _one(tasks).changing(completed=~F("completed"))


def remove(tasks: TaskQuerySet) -> Statement:
    """Delete a task."""
    return _one(tasks).removing()


def add(tasks: TaskQuerySet) -> Statement:
    """Create a task."""
    return tasks.adding()


def _one(tasks: TaskQuerySet) -> TaskQuerySet:
    return tasks.filter(pk=Value(TASK_ID))
