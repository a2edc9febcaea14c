"""Lines that are no tasks: what is wrong with them, and where."""

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
    """Write the line of a task that lacks a field."""
    return json.dumps({key: value for key, value in LINE.items() if key != name}).encode()


NOT_JSON = "not JSON in UTF-8"
NO_OBJECT = "value is not a valid dict"
TITLE, USER_ID = "title: ensure this value has at", "user_id: ensure this value has at"
# what is wrong: lines
WRONG = {
    NOT_JSON: [
        *(b"{", b"hello", b"[" * 5000, b'{"id": ' + b"9" * 5000 + b"}", line() + line()),
        *(b"\xef\xbb\xbf" + line(), line().decode().encode("utf-16")),
        line(title="zo\xeb").replace(b"\\u00eb", b"\xeb"),
        line(title="X").replace(b'"X"', rb'"\ud800"'),
        *(line(id=None).replace(b"null", number, 1) for number in (b"NaN", b"-Infinity")),
    ],
    NO_OBJECT: [b"[]", b"null"],
    f"{NOT_JSON}|{NO_OBJECT}": [b"1e999"],
    f"it has more than {MAX_LINE_BYTES} bytes": [line(note="x" * MAX_LINE_BYTES)],
    "note: a task has no such field": [line(note="x")],
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
        *(line(created_at=moment) for moment in ("2026-01-06", "yesterday", 1767700000)),
        *(line(created_at=f"2026-{end}") for end in ("01-06T12:00:00", "13-06T12:00:00Z")),
        line(created_at="2026-01-06T12:00:00.1234567Z"),
        line(created_at="0001-01-01T00:00:00+01:00"),
    ],
    "updated_at: none is not an allowed value": [line(updated_at=None)],
    "updated_at: must not be before created_at": [line(updated_at="2026-01-06T15:30:00.123455Z")],
    **{f"{name}: field required": [without(name)] for name in LINE if name != "id"},
    r"title: .*; completed: ": [line(title="", completed=1)],
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_line_is_named_and_nothing_is_stored(message: str) -> None:
    """All of the lines must be stored, or none: the number says where to look."""
    TaskFactory.create()
    before = rows()

    said = [error_of([line(), wrong, line()]) for wrong in WRONG[message]]

    assert [each for each in said if not re.match(rf"Line 2: ({message})", each)] == []
    assert rows() == before


def error_of(lines: list[bytes], *, is_as_is: bool = False) -> str:
    """Return what is wrong with lines."""
    try:
        return f"{import_lines(lines, is_as_is=is_as_is)} were stored"
    except LineError as error:
        return str(error)


def test_what_was_wrong_after_many_lines_takes_them_all_back() -> None:
    """Also what other batches have written must be gone."""
    assert error_of([line()] * 1500 + [b"{"]).startswith("Line 1501: ")
    assert rows() == []


def test_as_is_takes_what_an_older_back_end_has_left() -> None:
    """Rows from before the API's rules must survive the round trip too."""
    earlier = {"updated_at": "2026-01-06T15:30:00.123455Z"}
    for values in ({"title": ""}, {"title": "\t"}, earlier):
        import_lines([line(**values)], is_as_is=True)

        *_, exported = exported_lines("alice")
        assert json.loads(exported) == LINE | values | {"id": Task.objects.latest("id").id}


def test_as_is_takes_nothing_that_no_table_holds() -> None:
    """Lengths and types must hold for everybody."""
    wrong: list[dict[str, Any]] = [{"title": "x" * 201}, {"completed": 1}, {"user_id": ""}]

    said = [error_of([line(**values)], is_as_is=True) for values in wrong]

    assert [each for each in said if not each.startswith("Line 1: ")] == []
    assert rows() == []
