"""Lines that are no tasks: what is wrong with them, and where."""

import json
from typing import Any

import pytest

from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.jsonl import LINE, line
from tasks.transfer import MAX_LINE_BYTES, LineError, exported_lines, import_lines

pytestmark = pytest.mark.django_db


def without(name: str) -> bytes:
    """Write the line of a task that lacks a field."""
    return json.dumps({key: value for key, value in LINE.items() if key != name}).encode()


WRONG = [
    (b"{", "not JSON in UTF-8"),
    (b"hello", "not JSON in UTF-8"),
    (b"\xef\xbb\xbf" + line(), "not JSON in UTF-8"),
    (line().decode().encode("utf-16"), "not JSON in UTF-8"),
    (line(title="zo\xeb").replace(b"\\u00eb", b"\xeb"), "not JSON in UTF-8"),
    (line(title="X").replace(b'"X"', rb'"\ud800"'), "not JSON in UTF-8"),
    (line(id=None).replace(b"null", b"NaN", 1), "not JSON in UTF-8"),
    (line(id=None).replace(b"null", b"-Infinity", 1), "not JSON in UTF-8"),
    (b"[" * 5000, "not JSON in UTF-8"),
    (b'{"id": ' + b"9" * 5000 + b"}", "not JSON in UTF-8"),
    (line() + line(), "not JSON in UTF-8"),
    (b"[]", "value is not a valid dict"),
    (b"null", "value is not a valid dict"),
    (b"1e999", "not JSON in UTF-8|value is not a valid dict"),
    (line(note="x" * MAX_LINE_BYTES), f"it has more than {MAX_LINE_BYTES} bytes"),
    (line(note="x"), "note: a task has no such field"),
    (line(title=""), "title: ensure this value has at least 1 characters"),
    (line(title=" \u2028"), "title: ensure this value has at least 1 characters"),
    (line(title="x" * 201), "title: ensure this value has at most 200 characters"),
    (line(title=None), "title: none is not an allowed value"),
    (line(title=7), "title: str type expected"),
    (line(title="a\0b"), "title: text contains characters that cannot be stored"),
    (line(description="x" * 1001), "description: ensure this value has at most 1000 characters"),
    (line(description=False), "description: str type expected"),
    (line(completed=1), "completed: value could not be parsed to a boolean"),
    (line(completed=None), "completed: none is not an allowed value"),
    (line(completed="true"), "completed: value could not be parsed to a boolean"),
    (line(user_id=""), "user_id: ensure this value has at least 1 characters"),
    (line(user_id="x" * 256), "user_id: ensure this value has at most 255 characters"),
    (line(user_id=7), "user_id: str type expected"),
    (line(created_at="2026-01-06"), "created_at: write a moment like 2026"),
    (line(created_at="2026-01-06T12:00:00"), "created_at: write a moment like 2026"),
    (line(created_at="2026-13-06T12:00:00Z"), "created_at: write a moment like 2026"),
    (line(created_at="0001-01-01T00:00:00+01:00"), "created_at: write a moment like 2026"),
    (line(created_at="2026-01-06T12:00:00.1234567Z"), "created_at: write a moment like 2026"),
    (line(created_at="yesterday"), "created_at: write a moment like 2026"),
    (line(created_at=1767700000), "created_at: write a moment like 2026"),
    (line(updated_at=None), "updated_at: none is not an allowed value"),
    (line(updated_at="2026-01-06T15:30:00.123455Z"), "updated_at: it lies before created_at"),
    *((without(name), f"{name}: field required") for name in LINE if name != "id"),
    (line(title="", completed=1), r"title: .*; completed: "),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=lambda value: ascii(value)[:60])
def test_a_wrong_line_is_named_and_nothing_is_stored(wrong: bytes, message: str) -> None:
    """All of the lines must be stored, or none: the number says where to look."""
    TaskFactory.create()
    before = rows()

    with pytest.raises(LineError, match=rf"^Line 2: ({message})"):
        import_lines([line(), wrong, line()])

    assert rows() == before


def test_what_was_wrong_after_many_lines_takes_them_all_back() -> None:
    """Also what other batches have written must be gone."""
    with pytest.raises(LineError, match=r"^Line 1501: "):
        import_lines([line()] * 1500 + [b"{"])

    assert rows() == []


@pytest.mark.parametrize(
    "values",
    [{"title": ""}, {"title": "\t"}, {"updated_at": "2026-01-06T15:30:00.123455Z"}],
    ids=str,
)
def test_as_is_takes_what_an_older_back_end_has_left(values: dict[str, str]) -> None:
    """Rows from before the API's rules must survive the round trip too."""
    import_lines([line(**values)], is_as_is=True)

    (exported,) = exported_lines("alice")
    assert json.loads(exported) == LINE | values | {"id": Task.objects.get().id}


@pytest.mark.parametrize(
    "values", [{"title": "x" * 201}, {"completed": 1}, {"user_id": ""}], ids=str
)
def test_as_is_takes_nothing_that_no_table_holds(values: dict[str, Any]) -> None:
    """Lengths and types must hold for everybody."""
    with pytest.raises(LineError):
        import_lines([line(**values)], is_as_is=True)

    assert rows() == []
