"""Tasks as JSON Lines: on each line one task, as the API shows it.

Every field goes out and comes in again exactly as it was, except the id: the database gives a new
one.

Source: issue "Staff and operators", ``export_tasks`` and ``import_tasks``; jsonlines.org.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from tasks.maintenance.batches import BATCH_SIZE, store_in_batches
from tasks.models import TITLE_MAX_LENGTH, USER_ID_MAX_LENGTH, Task
from tasks.rendering import encode_task
from tasks.serializers import (
    StrictDateTimeField,
    StrictTextField,
    TaskSerializer,
    problem,
)

MAX_LINE_BYTES = 64 * 1024  # the longest task takes 20 KB, each letter of it as \ud83d\ude00


class LineError(ValueError):
    """A line is not a task that can be stored.

    Args:
        number: which line, from 1.
        problem: what is wrong with it.
    """

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"Line {number}: {problem}.")


class LineSerializer(TaskSerializer):
    """Validates a whole task: every field except the id is required, unknown fields are refused."""

    user_id = StrictTextField(max_length=USER_ID_MAX_LENGTH, allow_blank=True)
    created_at = StrictDateTimeField()
    updated_at = StrictDateTimeField()

    def get_fields(self) -> dict[str, Any]:
        """Require every writable field."""
        fields = super().get_fields()
        for field in fields.values():
            field.default, field.required = empty, not field.read_only
        return fields

    def validate_user_id(self, user_id: str) -> str:
        """Refuse an empty id; white space is a valid one."""
        if not user_id:
            raise problem("blank")
        return user_id

    def run_validation(self, data: Any = empty) -> Any:
        """Refuse unknown fields, which would be lost, and inconsistent times."""
        values = super().run_validation(data)
        if unknown := data.keys() - self.fields.keys():
            raise serializers.ValidationError({min(unknown): ["a task has no such field"]})
        self.check_times(**values)
        return values

    def check_times(self, created_at: datetime, updated_at: datetime, **values: Any) -> None:
        """Refuse an ``updated_at`` before ``created_at``."""
        if updated_at < created_at:
            raise serializers.ValidationError({"updated_at": ["must not be before created_at"]})


class OldLineSerializer(LineSerializer):
    """A task that may have been there before the API's rules, in a table that was taken over."""

    title = StrictTextField(max_length=TITLE_MAX_LENGTH, allow_blank=True)

    def check_times(self, created_at: datetime, updated_at: datetime, **values: Any) -> None:
        """Take them as they are."""


def exported_lines(user_id: str) -> Iterator[str]:
    """Read a user's tasks as lines of JSON, without their ends, in the order of the ids.

    They are read in batches, each as it is at that moment: a task that is there throughout comes
    exactly once, whatever is added and deleted meanwhile. The lines are plain ASCII: some of
    Unicode's characters pass for the end of a line.

    Args:
        user_id: whose tasks.
    """
    tasks = Task.objects.owned_by(user_id).order_by("id")
    batch = list(tasks[:BATCH_SIZE].rows())
    while batch:
        for task in batch:
            yield json.dumps(orjson.loads(encode_task(task)))
        batch = list(tasks.filter(id__gt=batch[-1].id)[:BATCH_SIZE].rows())


def import_lines(
    lines: Iterable[bytes],
    *,
    is_as_is: bool = False,
    on_batch: Callable[[int], object] = lambda count: None,
) -> int:
    """Store the tasks of all lines or, if one of them is wrong, none. Empty lines are skipped.

    Args:
        lines: what ``exported_lines`` gave, in UTF-8.
        is_as_is: whether a task may be one that the API would refuse and a table that was taken
            over may hold: with a blank title, or changed before it was created.
        on_batch: called with the number of tasks that were just written.

    Returns:
        How many tasks were stored.

    Raises:
        LineError: a line is wrong.
    """
    serializer = OldLineSerializer() if is_as_is else LineSerializer()
    return store_in_batches(_tasks(lines, serializer), on_batch=on_batch)


def _tasks(lines: Iterable[bytes], serializer: LineSerializer) -> Iterator[Task]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE_BYTES:
            raise LineError(number, f"it has more than {MAX_LINE_BYTES} bytes")
        try:
            yield Task(**serializer.run_validation(orjson.loads(line.rstrip())))
        except orjson.JSONDecodeError as error:
            raise LineError(
                number, f"not JSON in UTF-8: {error.msg} (column {error.colno})"
            ) from None
        except serializers.ValidationError as error:
            raise LineError(number, _worded(error.detail)) from None


def _worded(problems: Any) -> str:
    """Word the problems of a task: the field, where it is one field's, and what is wrong."""
    return "; ".join(
        details[0] if name == api_settings.NON_FIELD_ERRORS_KEY else f"{name}: {details[0]}"
        for name, details in problems.items()
    )
