"""Validation of tasks, with the contract's messages."""

import re
from datetime import UTC, datetime
from typing import Any, NoReturn

from rest_framework import serializers
from rest_framework.fields import SkipField, empty
from rest_framework.settings import api_settings

from authn.tokens import UNSTORABLE
from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, Task, TaskRow

# Unicode White_Space; str.isspace() also includes U+001C to U+001F.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

# The contract's message and type for each problem
PROBLEMS = {
    "required": ("field required", "value_error.missing"),
    "null": ("none is not an allowed value", "type_error.none.not_allowed"),
    "not_a_string": ("str type expected", "type_error.str"),
    "not_a_boolean": ("value could not be parsed to a boolean", "type_error.bool"),
    "character": ("text contains characters that cannot be stored", "value_error.str.character"),
    "blank": ("ensure this value has at least 1 characters", "value_error.any_str.min_length"),
    "too_long": (
        "ensure this value has at most {max_length} characters",
        "value_error.any_str.max_length",
    ),
    "not_an_object": ("value is not a valid dict", "type_error.dict"),
}


def problem(key: str, **values: int) -> serializers.ValidationError:
    """Return the validation error for a problem.

    Args:
        key: a key of ``PROBLEMS``.
        values: the values of the placeholders in its message.

    Source: docs/contract.md, "Errors", the table of messages and types.
    """
    message, kind = PROBLEMS[key]
    return serializers.ValidationError(message.format(**values), code=kind)


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field that accepts only its JSON type and reports only its first error.

    In a partial update, ``null`` leaves a field that is not nullable unchanged.

    Source: docs/contract.md, "A task".
    """

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raise a validation error with the contract's message."""
        raise problem(key, **kwargs)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Treat ``null`` in an update like an absent field, unless the field is nullable."""
        if data is None and not self.allow_null and self.root.partial:
            raise SkipField
        return super().validate_empty_values(data)

    def to_representation(self, value: Any) -> Any:
        """Return the stored value."""
        return value


class StrictTextField(StrictField):
    """Text that is stored exactly as sent.

    Args:
        max_length: the maximum length in code points.
        allow_blank: whether the text may be empty or only white space.
    """

    def __init__(self, *, max_length: int, allow_blank: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length
        self.allow_blank = allow_blank

    def to_internal_value(self, data: Any) -> str:
        """Validate the text and return it unchanged."""
        if not isinstance(data, str):
            self.fail("not_a_string")
        if UNSTORABLE.search(data):
            self.fail("character")
        if not self.allow_blank and not data.strip(WHITE_SPACE):
            self.fail("blank")
        if len(data) > self.max_length:
            self.fail("too_long", max_length=self.max_length)
        return data


class StrictBooleanField(StrictField):
    """JSON's ``true`` or ``false``."""

    def to_internal_value(self, data: Any) -> bool:
        """Validate the value and return it."""
        if not isinstance(data, bool):
            self.fail("not_a_boolean")
        return data


class StrictDateTimeField(StrictField):
    """A datetime with a UTC offset, such as ``2026-01-06T15:30:00.123456Z``."""

    def to_internal_value(self, data: Any) -> datetime:
        """Convert a string or an aware datetime to a datetime in UTC."""
        try:
            if isinstance(data, datetime):
                return data.astimezone(UTC)
            if not DATETIME.fullmatch(data):
                raise ValueError(data)
            return datetime.fromisoformat(data).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise serializers.ValidationError(
                "must be a time such as 2026-01-06T15:30:00.123456Z"
            ) from None


class TaskSerializer(serializers.ModelSerializer[Task]):
    """Validates a task that a client sends.

    Read-only and unknown fields are ignored, because the front end sends whole tasks back. With
    ``partial=True`` it validates an update: absent fields stay unchanged.

    Source: docs/contract.md, "A task"; FR-007, FR-008, FR-012.
    """

    title = StrictTextField(max_length=TITLE_MAX_LENGTH)
    description = StrictTextField(
        max_length=DESCRIPTION_MAX_LENGTH, allow_blank=True, allow_null=True, default=None
    )
    completed = StrictBooleanField(default=False)

    class Meta:
        model = Task
        fields = TaskRow._fields
        read_only_fields = ("id", "user_id", "created_at", "updated_at")

    def run_validation(self, data: Any = empty) -> Any:
        """Reject a body that is not an object, including ``null``."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: problem("not_an_object").detail}
            )
        return super().run_validation(data)

    def run_validators(self, value: Any) -> None:
        """Prepare for validators of the whole task only if there are any; this takes 4 µs."""
        if self.validators:
            super().run_validators(value)


# The fields that a client may set
WRITABLE_FIELDS = [
    name for name in TaskSerializer.Meta.fields if name not in TaskSerializer.Meta.read_only_fields
]
