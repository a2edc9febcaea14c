"""Creates that are sent twice: by a client that saw no answer, and by the front end's own page.

Source: docs/contract.md, "What goes beyond the plan", safe retries, the front end's double post.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import NotFound, ValidationError

from tasks.models import MAX_TASK_ID, IdempotencyKey, TaskQuerySet, TaskRow
from tasks.statements import aware

HEADER = "Idempotency-Key"
ACCEPTED_KEY = re.compile(r"[\x20-\x7e]{1,255}")
# RFC 3339; a seventh digit that is no zero is a moment at which nothing here was created
MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:(\.\d{1,6})0*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class IdempotencyKeyError(ValidationError):
    """The key is none, or stands for another body."""

    location = "header"

    def __init__(self, message: str) -> None:
        problem = ValidationError(message, code="value_error.idempotency")
        super().__init__({HEADER: problem.detail})


def idempotency_key(request: HttpRequest) -> str | None:
    """Return the key that a client sent, if it sent one.

    Args:
        request: asked by its ``META``; to make its ``headers`` for one of them costs 8 µs.

    Raises:
        IdempotencyKeyError: it is not 1 to 255 printable ASCII characters.
    """
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not ACCEPTED_KEY.fullmatch(key):
        raise IdempotencyKeyError("must be 1 to 255 printable ASCII characters")
    return key


def add_once(
    tasks: TaskQuerySet, owner: str, key: str, body: Any, values: Mapping[str, Any]
) -> tuple[TaskRow, bool]:
    """Create a task, unless this key has already created one.

    The key commits together with its task, and of two at the same moment the second waits for the
    first and finds its key: the unique constraint decides.

    Args:
        tasks: the tasks of the user, from which the first task is read.
        owner: the user's id.
        key: what the client sent as ``Idempotency-Key``.
        body: the JSON value of the request.
        values: the validated fields.

    Returns:
        The task as it is now, and whether it is a replay.

    Raises:
        IdempotencyKeyError: the key stands for another body.
        NotFound: the first task has been deleted since.
    """
    digest = _digest(body)
    try:
        with transaction.atomic():
            task = tasks.add(user_id=owner, **values)
            IdempotencyKey.objects.create(
                user_id=owner,
                key=key,
                body_digest=digest,
                task_id=task.id,
                created_at=timezone.now(),
            )
        return task, False
    except IntegrityError:
        first = IdempotencyKey.objects.filter(user_id=owner, key=key).first()
        if first is None:  # it was something else that the database refused
            raise
    if first.body_digest != digest:
        raise IdempotencyKeyError("was used for another request")
    found = tasks.filter(pk=first.task_id).row()
    if found is None:
        raise NotFound("Task not found")
    return found, True


def posted_again(
    tasks: Callable[[], TaskQuerySet], body: Mapping[str, Any], values: Mapping[str, Any]
) -> TaskRow | None:
    """Find the task that a body is a copy of: the front end posts what it has just created.

    Args:
        tasks: makes the queryset of the user's tasks, 40 µs that a body without an id saves.
        body: the JSON object of the request.
        values: its validated fields.

    Returns:
        The task, or ``None`` where any of its id, time, title, description and completed differ.
    """
    task_id, created_at = body.get("id"), body.get("created_at")
    if type(task_id) is not int or not isinstance(created_at, str):
        return None
    moment = _instant(created_at)
    if moment is None or not 0 < task_id <= MAX_TASK_ID:
        return None
    task = tasks().filter(pk=task_id).row()
    if task is None or (aware(task.created_at), task.title, task.description, task.completed) != (
        moment,
        values["title"],
        values.get("description"),
        values.get("completed", False),
    ):
        return None
    return task


def _instant(text: str) -> datetime | None:
    match = MOMENT.fullmatch(text)
    try:
        return datetime.fromisoformat("".join(match.groups("")).upper()) if match else None
    except ValueError:  # such as the 30th of February
        return None


def _digest(body: Any) -> str:
    """Digest a JSON value: neither the order of names counts, nor 1.0 for 1."""
    digest = hashlib.sha256()
    remaining = [body]  # a stack and no calls, of which a body's nesting may need too many
    while remaining:
        value = remaining.pop()
        match value:
            case dict():
                remaining += (part for item in sorted(value.items()) for part in item)
                token = f"object of {len(value)}"
            case list():
                remaining += value
                token = f"array of {len(value)}"
            case float() if value.is_integer():
                token = str(int(value))
            case _:
                token = json.dumps(value)
        digest.update(f"{token}\n".encode())
    return digest.hexdigest()
