"""The lists of a task's fields, compared with the model."""

from datetime import UTC, datetime

import orjson
import pytest

from tasks.models import COLUMNS, Task, TaskRow
from tasks.rendering import encode_task
from tasks.serializers import WRITABLE_FIELDS, StrictDateTimeField, StrictField, TaskSerializer
from tasks.statements import InUTC

FIELDS = [field.name for field in Task._meta.concrete_fields]
TIME = datetime(2026, 1, 6, 15, 30, tzinfo=UTC)


def test_rows_serializer_and_rendering_have_the_models_fields() -> None:
    """Rows, serializer and rendering must have all fields of the model, in its order."""
    row = TaskRow(1, "alice", "Buy milk", None, False, *[TIME.replace(tzinfo=None)] * 2)

    assert list(TaskRow._fields) == FIELDS
    assert list(TaskSerializer().fields) == FIELDS
    assert list(orjson.loads(encode_task(row))) == FIELDS


def test_the_writable_fields_are_the_declared_ones() -> None:
    """A field without an explicit, strict serializer field must be read-only."""
    fields = TaskSerializer().fields.items()

    assert [name for name, each in fields if isinstance(each, StrictField)] == WRITABLE_FIELDS


def test_datetimes_are_recognised_by_their_type() -> None:
    """Every datetime column must be read in UTC, whatever its name."""
    in_utc = {name for name, each in zip(FIELDS, COLUMNS, strict=True) if isinstance(each, InUTC)}

    assert in_utc == {
        each.name
        for each in Task._meta.concrete_fields
        if each.get_internal_type() == "DateTimeField"
    }
    assert in_utc


@pytest.mark.django_db
def test_an_insert_sets_every_column_except_the_id() -> None:
    """The parameters must be the owner, the writable fields, and one time for both time columns."""
    parameters = [str(each) for each in Task.objects.all().compile_insert().parameters]

    assert parameters == ["user_id", *WRITABLE_FIELDS, "now", "now"]


def test_a_datetime_field_converts_to_utc() -> None:
    """A time in another zone, whether text or a ``datetime``, must be converted to UTC."""
    field = StrictDateTimeField()
    elsewhere = "2026-01-06T16:30:00+01:00"

    for value in (elsewhere, datetime.fromisoformat(elsewhere)):
        assert repr(field.run_validation(value)) == repr(TIME)
