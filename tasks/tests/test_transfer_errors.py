"""The error messages for invalid lines."""

import json
import re
from typing import Any

import pytest

from tasks.maintenance.transfer import MAX_LINE_BYTES, LineError, exported_lines, import_lines
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.jsonl import LINE, line

pytestmark = pytest.mark.django_db


def without(name: str) -> bytes:
    """Return the line of a task with one field left out."""
    return json.dumps({key: value for key, value in LINE.items() if key != name}).encode()


NOT_JSON = "not UTF-8 JSON"
NOT_AN_OBJECT = "value is not a valid dict"
TITLE, USER_ID = "title: ensure this value has at", "user_id: ensure this value has at"
# message: lines that cause it
INVALID = {
    NOT_JSON: [
        *(b"{", b"hello", b"[" * 5000, b'{"id": ' + b"9" * 5000 + b"}", line() + line()),
        *(b"\xef\xbb\xbf" + line(), line().decode().encode("utf-16")),
        line(title="zo\xeb").replace(b"\\u00eb", b"\xeb"),
        line(title="X").replace(b'"X"', rb'"\ud800"'),
        *(line(id=None).replace(b"null", number, 1) for number in (b"NaN", b"-Infinity")),
    ],
    NOT_AN_OBJECT: [b"[]", b"null"],
    f"{NOT_JSON}|{NOT_AN_OBJECT}": [b"1e999"],
    f"longer than {MAX_LINE_BYTES} bytes": [line(note="x" * MAX_LINE_BYTES)],
    "note: unknown field": [line(note="x")],
    f"{TITLE} least 1 characters": [line(title=""), line(title=" \u2028")],
    f"{TITLE} most 200 characters": [line(title="x" * 201)],
    "title: none is not an allowed value": [line(title=None)],
    "title: str type expected": [line(title=7)],
    "title: text contains characters that cannot be stored": [line(title="a\0b")],
    "description: ensure this value has at most 1000 characters": [line(description="x" * 1001)],
    "description: str type expected": [line(description=False)],
    "completed: value could not be parsed to a boolean": [
        line(completed=1),
        line(completed="true"),
    ],
    "completed: none is not an allowed value": [line(completed=None)],
    f"{USER_ID} least 1 characters": [line(user_id="")],
    f"{USER_ID} most 255 characters": [line(user_id="x" * 256)],
    "user_id: str type expected": [line(user_id=7)],
    "created_at: must be a time such as 2026": [
        *(line(created_at=value) for value in ("2026-01-06", "yesterday", 1767700000)),
        *(line(created_at=f"2026-{end}") for end in ("01-06T12:00:00", "13-06T12:00:00Z")),
        line(created_at="2026-01-06T12:00:00.1234567Z"),
        line(created_at="0001-01-01T00:00:00+01:00"),
    ],
    "updated_at: none is not an allowed value": [line(updated_at=None)],
    "updated_at: must not be before created_at": [line(updated_at="2026-01-06T15:30:00.123455Z")],
    **{f"{name}: field required": [without(name)] for name in LINE if name != "id"},
    r"title: .*; completed: ": [line(title="", completed=1)],
}


@pytest.mark.parametrize("message", INVALID)
def test_an_invalid_line_is_reported_and_nothing_is_imported(message: str) -> None:
    """The error must state the line number and the reason, and nothing may be imported."""
    TaskFactory.create()
    before = rows()

    errors = [error_of([line(), invalid, line()]) for invalid in INVALID[message]]

    assert [error for error in errors if not re.match(rf"Line 2: ({message})", error)] == []
    assert rows() == before


def error_of(lines: list[bytes], *, as_is: bool = False) -> str:
    """Import lines and return the error message, or else how many were imported."""
    try:
        return f"{import_lines(lines, as_is=as_is)} were imported"
    except LineError as error:
        return str(error)


def test_a_late_error_rolls_back_all_batches() -> None:
    """An error must also roll back the batches before it."""
    assert error_of([line()] * 1500 + [b"{"]).startswith("Line 1501: ")
    assert rows() == []


def test_as_is_accepts_old_tasks() -> None:
    """Tasks of an adopted table that break the API's rules must survive the round trip."""
    earlier = {"updated_at": "2026-01-06T15:30:00.123455Z"}
    for values in ({"title": ""}, {"title": "\t"}, earlier):
        import_lines([line(**values)], as_is=True)

        *_, exported = exported_lines("alice")
        assert json.loads(exported) == LINE | values | {"id": Task.objects.latest("id").id}


def test_as_is_rejects_tasks_that_no_table_can_hold() -> None:
    """``--as-is`` must still check lengths and types."""
    invalid: list[dict[str, Any]] = [{"title": "x" * 201}, {"completed": 1}, {"user_id": ""}]

    errors = [error_of([line(**values)], as_is=True) for values in invalid]

    assert [error for error in errors if not error.startswith("Line 1: ")] == []
    assert rows() == []
