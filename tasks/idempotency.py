"""Duplicate POSTs: retries with an idempotency key, and the front end's double post.

Source: docs/contract.md, "Extensions", safe retries and the front end's double post.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import NotFound, ValidationError

from tasks.models import (
    IDEMPOTENCY_KEY_MAX_LENGTH,
    MAX_TASK_ID,
    IdempotencyKey,
    TaskQuerySet,
    TaskRow,
)

HEADER = "Idempotency-Key"
KEY_LIFETIME = timedelta(hours=24)  # the minimum; ``cleanup_tasks`` deletes older keys
ACCEPTED_KEY = re.compile(rf"[\x20-\x7e]{{1,{IDEMPOTENCY_KEY_MAX_LENGTH}}}")
# RFC 3339, with at most six significant fractional digits, like stored times
DATETIME = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:(\.\d{1,6})0*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class IdempotencyKeyError(ValidationError):
    """The key is malformed, or was used with a different body."""

    location = "header"

    def __init__(self, message: str) -> None:
        problem = ValidationError(message, code="value_error.idempotency")
        super().__init__({HEADER: problem.detail})


def idempotency_key(request: HttpRequest) -> str | None:
    """Return the request's ``Idempotency-Key``, if it has one.

    Args:
        request: the request; its ``META`` is read, because building ``headers`` costs 8 µs.

    Raises:
        IdempotencyKeyError: the key is not 1 to 255 printable ASCII characters.
    """
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not ACCEPTED_KEY.fullmatch(key):
        raise IdempotencyKeyError(
            f"must be 1 to {IDEMPOTENCY_KEY_MAX_LENGTH} printable ASCII characters"
        )
    return key


def create_once(
    tasks: TaskQuerySet,
    owner: str,
    key: str,
    body: Any,
    values: Mapping[str, Any],
    *,
    is_last: bool = False,
) -> tuple[TaskRow, bool]:
    """Create a task, unless a request with the same key has already created one.

    The key is committed together with its task. If two requests arrive simultaneously, the unique
    constraint makes the second wait for the first and then find its key.

    Args:
        tasks: the user's tasks.
        owner: the user's id.
        key: the ``Idempotency-Key``.
        body: the JSON value of the request.
        values: the validated fields of the body.
        is_last: whether not to try again if the key vanishes meanwhile.

    Returns:
        The task as it is now, and whether this is a replay.

    Raises:
        IdempotencyKeyError: the key was used with a different body.
        NotFound: the key's task has been deleted.
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
        if first is None:
            if is_last:  # another constraint failed
                raise
            # ``cleanup_tasks`` has just deleted the key.
            return create_once(tasks, owner, key, body, values, is_last=True)
    if first.body_digest != digest:
        raise IdempotencyKeyError("was used for another request")
    found = tasks.filter(pk=first.task_id).row()
    if found is None:
        raise NotFound("Task not found")
    return found, True


def find_posted_copy(
    tasks: Callable[[], TaskQuerySet], body: Mapping[str, Any], values: Mapping[str, Any]
) -> TaskRow | None:
    """Find the original of a repeated POST: the front end posts each new task a second time.

    Args:
        tasks: returns the user's tasks; called only if the body has a usable id and creation time,
            because the call costs 40 µs.
        body: the JSON object of the request.
        values: the validated fields of the body.

    Returns:
        The task; ``None`` unless the body has the id and creation time of one of these tasks and
        all values match.
    """
    task_id, created_at = body.get("id"), body.get("created_at")
    if type(task_id) is not int or not isinstance(created_at, str):
        return None
    created = _parse_datetime(created_at)
    if created is None or not 0 < task_id <= MAX_TASK_ID:
        return None
    task = tasks().filter(pk=task_id).row()
    if task is None or not {**values, "created_at": created}.items() <= task.values().items():
        return None
    return task


def _parse_datetime(text: str) -> datetime | None:
    match = DATETIME.fullmatch(text)
    try:
        return datetime.fromisoformat("".join(match.groups("")).upper()) if match else None
    except ValueError:  # such as the 30th of February
        return None


def _digest(body: Any) -> str:
    """Return a digest of a JSON value; the order of keys does not matter, and 1.0 equals 1."""
    digest = hashlib.sha256()
    remaining = [body]  # a stack, because deep nesting would exceed the recursion limit
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
