"""Rows of a given age."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tasks.models import IdempotencyKey, Task
from tasks.tests.factories import TaskFactory

DAY = timedelta(days=1)


def task_of_age(age: timedelta, **values: Any) -> Task:
    """Store a task of a given age; by default a completed one of alice."""
    task: Task = TaskFactory.create(
        **{"completed": True, "created_at": timezone.now() - age, **values}
    )
    return task


def key_of_age(age: timedelta, key: str = "k") -> IdempotencyKey:
    """Store an idempotency key of a given age."""
    return IdempotencyKey.objects.create(
        user_id="alice", key=key, body_digest="0" * 64, task_id=1, created_at=timezone.now() - age
    )
