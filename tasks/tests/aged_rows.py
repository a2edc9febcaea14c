"""Rows of a given age."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tasks.models import IdempotencyKey, Task
from tasks.tests.factories import TaskFactory

DAY = timedelta(days=1)


def task_of_age(age: timedelta, **values: Any) -> Task:
    """Create a task of a given age, by default one that Alice has completed."""
    task: Task = TaskFactory.create(
        **{"completed": True, "created_at": timezone.now() - age, **values}
    )
    return task


def key_of_age(age: timedelta, key: str = "k") -> IdempotencyKey:
    """Create an idempotency key of a given age."""
    return IdempotencyKey.objects.create(
        user_id="alice", key=key, body_digest="0" * 64, task_id=1, created_at=timezone.now() - age
    )
