"""Export and import of tasks as JSON Lines: one task per line, as the API returns it.

Every field survives the round trip unchanged, except the id: the database assigns a new one.

Source: https://jsonlines.org.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from authn.tokens import USER_ID_MAX_LENGTH
from tasks.maintenance.batches import BATCH_SIZE, insert_in_batches
from tasks.models import TITLE_MAX_LENGTH, Task
from tasks.rendering import encode_task
from tasks.serializers import StrictDateTimeField, StrictTextField, TaskSerializer, problem

# The longest task takes 20 KB, with every character escaped as \ud83d\ude00
MAX_LINE_BYTES = 64 * 1024


class LineError(ValueError):
    """A line is not a valid task.

    Args:
        number: the line number, from 1.
        problem: a clause that describes the error.
    """

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"Line {number}: {problem}.")


class LineSerializer(TaskSerializer):
    """Validates a complete task: requires every field except the id, and rejects unknown ones."""

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
        """Reject an empty id; white space alone is valid."""
        if not user_id:
            raise problem("blank")
        return user_id

    def run_validation(self, data: Any = empty) -> Any:
        """Also reject unknown fields and inconsistent times."""
        values = super().run_validation(data)
        if unknown := data.keys() - self.fields.keys():
            raise serializers.ValidationError({min(unknown): ["unknown field"]})
        self.check_times(**values)
        return values

    def check_times(self, created_at: datetime, updated_at: datetime, **values: Any) -> None:
        """Reject an ``updated_at`` before ``created_at``."""
        if updated_at < created_at:
            raise serializers.ValidationError({"updated_at": ["must not be before created_at"]})


class OldLineSerializer(LineSerializer):
    """Validates a task of an adopted table, which may be older than the API's rules."""

    title = StrictTextField(max_length=TITLE_MAX_LENGTH, allow_blank=True)

    def check_times(self, created_at: datetime, updated_at: datetime, **values: Any) -> None:
        """Accept any times."""


def exported_lines(user_id: str) -> Iterator[str]:
    """Yield a user's tasks as JSON, without line endings, in the order of their ids.

    Tasks are read in batches by id. A task that exists throughout the export appears exactly once,
    even while others are created and deleted. The lines are ASCII, because some programs also split
    lines at Unicode separators.
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
    as_is: bool = False,
    on_commit: Callable[[int], object] = lambda count: None,
) -> int:
    """Import the tasks of all lines or, if one is invalid, none. Blank lines are skipped.

    Args:
        lines: the output of ``exported_lines``, in UTF-8.
        as_is: accept tasks that an adopted table can hold but the API rejects: a blank title, an
            ``updated_at`` before ``created_at``.
        on_commit: called with the number of tasks, as by ``insert_in_batches``.

    Returns:
        The number of tasks imported.

    Raises:
        LineError: a line is invalid.
    """
    serializer = OldLineSerializer() if as_is else LineSerializer()
    return insert_in_batches(_tasks(lines, serializer), on_commit=on_commit)


def _tasks(lines: Iterable[bytes], serializer: LineSerializer) -> Iterator[Task]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE_BYTES:
            raise LineError(number, f"longer than {MAX_LINE_BYTES} bytes")
        try:
            yield Task(**serializer.run_validation(orjson.loads(line.rstrip())))
        except orjson.JSONDecodeError as error:
            raise LineError(number, f"not UTF-8 JSON: {error.msg} (column {error.colno})") from None
        except serializers.ValidationError as error:
            raise LineError(number, _worded(error.detail)) from None


def _worded(problems: Any) -> str:
    """Format validation errors as ``field: message``; errors of the whole task have no field."""
    return "; ".join(
        details[0] if name == api_settings.NON_FIELD_ERRORS_KEY else f"{name}: {details[0]}"
        for name, details in problems.items()
    )
