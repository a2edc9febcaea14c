"""Validation of the body of POST and PUT."""

from typing import Any

import pytest
from rest_framework.serializers import ValidationError

from conftest import ApiClient
from tasks.models import Task
from tasks.serializers import TaskSerializer
from tasks.tests.factories import rows
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

STRING = ("str type expected", "type_error.str")
BOOLEAN = ("value could not be parsed to a boolean", "type_error.bool")
CHARACTER = ("text contains characters that cannot be stored", "value_error.str.character")
BLANK = ("ensure this value has at least 1 characters", "value_error.any_str.min_length")
LONG_TITLE = ("ensure this value has at most 200 characters", "value_error.any_str.max_length")
LONG_TEXT = ("ensure this value has at most 1000 characters", "value_error.any_str.max_length")

# Unicode 16.0, PropList.txt: White_Space
WHITE_SPACE = [
    *map(chr, range(0x0009, 0x000E)),
    *("\u0020", "\u0085", "\u00a0", "\u1680"),
    *map(chr, range(0x2000, 0x200B)),
    *("\u2028", "\u2029", "\u202f", "\u205f", "\u3000"),
]
# not White_Space: characters that str.isspace() also accepts, and invisible characters
VISIBLE = [*"\x1c\x1d\x1e\x1f", *"\u180e\u200b\u200d\u2060\u2800\u3164\ufeff"]

NOT_STRINGS: list[object] = [123, 0, 1.5, True, False, [], ["a"], {}, {"text": "a"}]
NOT_BOOLEANS: list[object] = ["true", "false", "yes", "", 1, 0, 1.0, [], {}, [True]]
UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff", "\udc00\ud800"]


# field, value, first problem
BAD_VALUES: list[tuple[str, object, tuple[str, str]]] = [
    *[("title", value, STRING) for value in NOT_STRINGS],
    *[("description", value, STRING) for value in NOT_STRINGS],
    *[("completed", value, BOOLEAN) for value in NOT_BOOLEANS],
    *[("title", value, CHARACTER) for value in UNSTORABLE],
    *[("description", value, CHARACTER) for value in UNSTORABLE],
    *[("title", value, BLANK) for value in ("", "   ", "\t\r\n", "".join(WHITE_SPACE))],
    *[("title", character * 3, BLANK) for character in WHITE_SPACE],
    ("title", "x" * 201, LONG_TITLE),
    ("title", "x" + " " * 200, LONG_TITLE),
    ("title", "\N{PILE OF POO}" * 201, LONG_TITLE),
    ("title", "e\N{COMBINING ACUTE ACCENT}" * 101, LONG_TITLE),
    ("description", "x" * 1001, LONG_TEXT),
    ("description", " " * 1001, LONG_TEXT),
    ("description", "\N{PILE OF POO}" * 1001, LONG_TEXT),
    # several problems: the first in the contract's table is reported
    ("title", " " * 201, BLANK),
    ("title", "\0" * 201, CHARACTER),
    ("title", " \0", CHARACTER),
    ("description", "\0" * 1001, CHARACTER),
]


def test_an_invalid_value_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """The first problem of a value must be reported (docs/contract.md, "Errors"; SC-008)."""
    before = rows()

    def outcome(row: tuple[str, object, tuple[str, str]]) -> Any:
        field, value, (message, kind) = row
        response = alice.send(*target, {"title": "Good", field: value})
        expected = {
            "detail": [{"loc": ["body", field], "msg": message, "type": kind}],
            "error": f"{field.capitalize()}: {message}",
        }
        return response.status_code, response.json() == expected or response.json(), rows()

    assert wrong_rows(BAD_VALUES, outcome, (422, True, before)) == []


def test_every_invalid_field_is_listed_in_order(alice: ApiClient, target: tuple[str, str]) -> None:
    """A 422 must list the invalid fields in the order title, description, completed."""
    before = rows()

    response = alice.send(*target, {"completed": 1, "description": "x" * 1001, "title": ""})

    assert response.content.index(b'"loc"') < response.content.index(b'"msg"')
    assert response.json() == {
        "detail": [
            {"loc": ["body", "title"], "msg": BLANK[0], "type": BLANK[1]},
            {"loc": ["body", "description"], "msg": LONG_TEXT[0], "type": LONG_TEXT[1]},
            {"loc": ["body", "completed"], "msg": BOOLEAN[0], "type": BOOLEAN[1]},
        ],
        "error": (
            "Title: ensure this value has at least 1 characters;"
            " Description: ensure this value has at most 1000 characters;"
            " Completed: value could not be parsed to a boolean"
        ),
    }
    assert rows() == before


def test_a_body_that_is_not_an_object_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """A JSON value that is not an object must be refused (docs/contract.md, "Errors")."""
    bodies = ["null", "[]", '[{"title": "a"}]', '"title"', "1", "true", "0.5"]
    before = rows()

    def outcome(body: str) -> Any:
        response = alice.send(*target, body)
        return response.status_code, response.json(), rows()

    refusal = {
        "detail": [
            {"loc": ["body"], "msg": "value is not a valid dict", "type": "type_error.dict"}
        ],
        "error": "value is not a valid dict",
    }
    assert wrong_rows(bodies, outcome, (422, refusal, before)) == []


LETTERS = ["x", "\N{PILE OF POO}", "\N{COMBINING ACUTE ACCENT}"]
TEXTS = [
    *VISIBLE,
    *(f"{character}Buy milk{character}" for character in WHITE_SPACE),
    # lengths count code points, not bytes or UTF-16 code units
    *(letter * length for letter in LETTERS for length in (1, 200)),
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
    "e\u0301 \u00e9",  # combining and precomposed
    "\ufb01 \u212b \u2126",  # changed by NFKC
    "שלום \u202e\u0645\u0631\u062d\u0628\u0627\u202c",  # right to left
    "<script>alert('x')</script> &amp; &lt;",
    "  two spaces at both ends  ",
    "line\r\nline\nline\ttab\x0b\x7f\x01",
    "\"'`\\/ \\u0041 \\n %00 %s {} ${x}",
    "'; DROP TABLE task; --",
    "a\u2028b\u2029c\u00a0d",
    "\ufffe\uffff\U0010ffff\ue000",  # noncharacters and private use
    "İıſß Ǆ ﬀ",  # case mapping changes the length
]


def test_a_text_is_returned_exactly_as_sent(alice: ApiClient, target: tuple[str, str]) -> None:
    """No valid text may be trimmed, escaped, normalised or refused (FR-007)."""

    def outcome(text: str) -> Any:
        response = alice.send(*target, {"title": text, "description": text})
        shown = response.json()
        is_stored = Task.objects.filter(title=text, description=text).count() == 1
        is_shown = shown.get("title") == shown.get("description") == text
        return response.status_code in (200, 201), is_shown, is_stored

    assert wrong_rows(TEXTS, outcome, (True, True, True)) == []


def test_the_longest_description_fits(alice: ApiClient, target: tuple[str, str]) -> None:
    """1000 code points must be accepted, however many bytes they take (FR-008)."""

    def is_kept(letter: str) -> bool:
        body = {"title": "Good", "description": letter * 1000}
        shown: Any = alice.send(*target, body).json().get("description")
        return bool(shown == letter * 1000)

    assert wrong_rows(LETTERS, is_kept, True) == []


def test_an_escaped_surrogate_pair_is_one_character(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    r"""\ud83d\ude00 in JSON must be one character (RFC 8259 §7)."""
    assert alice.send(*target, r'{"title": "\ud83d\ude00"}').json()["title"] == "😀"


def test_a_validator_of_the_whole_task_is_run() -> None:
    """A validator in ``Meta.validators`` must refuse a task, although there is none today."""

    def refuse_chores(values: dict[str, Any]) -> None:
        if values["title"] == "Chore":
            raise ValidationError("no chores")

    class PleasantTaskSerializer(TaskSerializer):
        class Meta(TaskSerializer.Meta):
            validators = (refuse_chores,)

    assert PleasantTaskSerializer(data={"title": "Walk"}).is_valid()
    assert not PleasantTaskSerializer(data={"title": "Chore"}).is_valid()
