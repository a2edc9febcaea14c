"""What a client may send of a task, and what it gets back."""

from typing import Any, NoReturn

from rest_framework import serializers
from rest_framework.fields import SkipField, empty
from rest_framework.settings import api_settings

from authn.tokens import UNSTORABLE
from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, Task

# Unicode's White_Space. str.isspace() also takes U+001C to U+001F, which are not in it.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# problem: (message, the type that the front end's contract gives it)
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
    """Word a problem as the contract does.

    Source: docs/contract.md, "Errors", the table of messages and types.
    """
    message, kind = PROBLEMS[key]
    return serializers.ValidationError(message.format(**values), code=kind)


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field that takes its JSON type and no other, and reports its first problem only.

    On an update ``null`` leaves a field that cannot be null as it is.

    Source: docs/contract.md, "A task".
    """

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raise the problem in the contract's words."""
        raise problem(key, **kwargs)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Let a ``null`` in an update pass for an absent field."""
        if data is None and not self.allow_null and self.root.partial:
            raise SkipField
        return super().validate_empty_values(data)

    def to_representation(self, value: Any) -> Any:
        """Return the value as it is stored."""
        return value


class StrictTextField(StrictField):
    """A text, kept exactly as it was sent.

    Args:
        max_length: in code points.
        allow_blank: whether a text may be empty or consist of white space.
    """

    def __init__(self, *, max_length: int, allow_blank: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length
        self.allow_blank = allow_blank

    def to_internal_value(self, data: Any) -> str:
        """Check the text and return it untouched."""
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
        """Check the value and return it."""
        if not isinstance(data, bool):
            self.fail("not_a_boolean")
        return data


class TaskSerializer(serializers.ModelSerializer[Task]):
    """A task as JSON.

    Fields that a client may not set, and unknown ones, are ignored: the front end sends whole tasks
    back. Made with ``partial=True`` it reads an update: absent fields stay as they are.

    Source: docs/contract.md, "A task"; FR-007, FR-008, FR-012.
    """

    title = StrictTextField(max_length=TITLE_MAX_LENGTH)
    description = StrictTextField(
        max_length=DESCRIPTION_MAX_LENGTH, allow_blank=True, allow_null=True, required=False
    )
    completed = StrictBooleanField(required=False)

    class Meta:
        model = Task
        fields = ("id", "user_id", "title", "description", "completed", "created_at", "updated_at")
        read_only_fields = ("id", "user_id", "created_at", "updated_at")

    def run_validation(self, data: Any = empty) -> Any:
        """Refuse a body that is not an object, ``null`` included."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: problem("not_an_object").detail}
            )
        return super().run_validation(data)
