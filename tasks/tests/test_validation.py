"""What holds for the body of a POST and of a PUT alike."""

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import rows

pytestmark = pytest.mark.django_db

STRING = ("str type expected", "type_error.str")
BOOLEAN = ("value could not be parsed to a boolean", "type_error.bool")
CHARACTER = ("text contains characters that cannot be stored", "value_error.str.character")
BLANK = ("ensure this value has at least 1 characters", "value_error.any_str.min_length")
LONG_TITLE = ("ensure this value has at most 200 characters", "value_error.any_str.max_length")
LONG_TEXT = ("ensure this value has at most 1000 characters", "value_error.any_str.max_length")

# Unicode 16.0, PropList.txt: all that has the property White_Space
WHITE_SPACE = [
    *map(chr, range(0x0009, 0x000E)),
    "\u0020",
    "\u0085",
    "\u00a0",
    "\u1680",
    *map(chr, range(0x2000, 0x200B)),
    "\u2028",
    "\u2029",
    "\u202f",
    "\u205f",
    "\u3000",
]

NO_STRINGS: list[object] = [123, 0, 1.5, True, False, [], ["a"], {}, {"text": "a"}]
NO_BOOLEANS: list[object] = ["true", "false", "yes", "", 1, 0, 1.0, [], {}, [True]]
UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff", "\udc00\ud800"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        *[("title", value, STRING) for value in NO_STRINGS],
        *[("description", value, STRING) for value in NO_STRINGS],
        *[("completed", value, BOOLEAN) for value in NO_BOOLEANS],
        *[("title", value, CHARACTER) for value in UNSTORABLE],
        *[("description", value, CHARACTER) for value in UNSTORABLE],
        *[("title", value, BLANK) for value in ("", "   ", "\t\r\n", "".join(WHITE_SPACE))],
        ("title", "x" * 201, LONG_TITLE),
        ("title", "x" + " " * 200, LONG_TITLE),
        ("title", "\N{PILE OF POO}" * 201, LONG_TITLE),
        ("title", "e\N{COMBINING ACUTE ACCENT}" * 101, LONG_TITLE),
        ("description", "x" * 1001, LONG_TEXT),
        ("description", " " * 1001, LONG_TEXT),
        ("description", "\N{PILE OF POO}" * 1001, LONG_TEXT),
        # several problems in one field: the first of the contract's table counts
        ("title", " " * 201, BLANK),
        ("title", "\0" * 201, CHARACTER),
        ("title", " \0", CHARACTER),
        ("description", "\0" * 1001, CHARACTER),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_bad_value_is_refused(
    alice: ApiClient, target: tuple[str, str], field: str, value: object, problem: tuple[str, str]
) -> None:
    """A bad value must be named by its first problem (contract.md "Errors", SC-008)."""
    before = rows()
    message, kind = problem

    response = alice.send(*target, {"title": "Good", field: value})

    assert response.status_code == 422
    assert response.json() == {
        "detail": [{"loc": ["body", field], "msg": message, "type": kind}],
        "error": f"{field.capitalize()}: {message}",
    }
    assert rows() == before


def test_every_wrong_field_is_listed_in_the_order_of_the_fields(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """A 422 must list title, description, completed, however they were sent."""
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


@pytest.mark.parametrize("body", ["null", "[]", '[{"title": "a"}]', '"title"', "1", "true", "0.5"])
def test_a_body_that_is_no_object_is_refused(
    alice: ApiClient, target: tuple[str, str], body: str
) -> None:
    """JSON that is not an object must be refused as a whole (contract.md "Errors")."""
    before = rows()

    response = alice.send(*target, body)

    assert response.status_code == 422
    assert response.json() == {
        "detail": [
            {"loc": ["body"], "msg": "value is not a valid dict", "type": "type_error.dict"}
        ],
        "error": "value is not a valid dict",
    }
    assert rows() == before


@pytest.mark.parametrize("character", WHITE_SPACE, ids=ascii)
def test_a_title_of_white_space_is_refused(
    alice: ApiClient, target: tuple[str, str], character: str
) -> None:
    """Each code point of Unicode's White_Space must count as blank (contract.md "A task")."""
    before = rows()

    response = alice.send(*target, {"title": character * 3})

    assert response.status_code == 422
    assert response.json()["detail"][0]["msg"] == BLANK[0]
    assert rows() == before


@pytest.mark.parametrize(
    "character",
    [*"\x1c\x1d\x1e\x1f", "\u180e", "\u200b", "\u200d", "\u2060", "\u2800", "\u3164", "\ufeff"],
    ids=ascii,
)
def test_a_title_that_only_looks_blank_is_kept(
    alice: ApiClient, target: tuple[str, str], character: str
) -> None:
    """What is not in White_Space must be a title, whatever isspace() says of it."""
    response = alice.send(*target, {"title": character})

    assert response.status_code in (200, 201)
    assert response.json()["title"] == character


@pytest.mark.parametrize("character", WHITE_SPACE, ids=ascii)
def test_white_space_around_a_title_is_kept(
    alice: ApiClient, target: tuple[str, str], character: str
) -> None:
    """Nothing must be trimmed (contract.md "A task")."""
    title = f"{character}Buy milk{character}"

    assert alice.send(*target, {"title": title}).json()["title"] == title


@pytest.mark.parametrize(
    "letter", ["x", "\N{PILE OF POO}", "\N{COMBINING ACUTE ACCENT}"], ids=ascii
)
@pytest.mark.parametrize(("field", "length"), [("title", 1), ("title", 200), ("description", 1000)])
def test_the_longest_and_shortest_texts_fit(
    alice: ApiClient, target: tuple[str, str], field: str, length: int, letter: str
) -> None:
    """Lengths must be counted in code points, not in bytes or UTF-16 units (FR-007, FR-008)."""
    response = alice.send(*target, {"title": "Good", field: letter * length})

    assert response.status_code in (200, 201)
    assert response.json()[field] == letter * length


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽", id="emoji of several code points"),
        pytest.param("e\u0301 \u00e9", id="combining and precomposed"),
        pytest.param("\ufb01 \u212b \u2126", id="what NFKC would change"),
        pytest.param("שלום \u202e\u0645\u0631\u062d\u0628\u0627\u202c", id="right to left"),
        pytest.param("<script>alert('x')</script> &amp; &lt;", id="HTML"),
        pytest.param("  two spaces at both ends  ", id="spaces"),
        pytest.param("line\r\nline\nline\ttab\x0b\x7f\x01", id="control characters"),
        pytest.param("\"'`\\/ \\u0041 \\n %00 %s {} ${x}", id="quotes and escapes"),
        pytest.param("'; DROP TABLE task; --", id="SQL"),
        pytest.param("a\u2028b\u2029c\u00a0d", id="separators"),
        pytest.param("\ufffe\uffff\U0010ffff\ue000", id="noncharacters and private use"),
        pytest.param("İıſß Ǆ ﬀ", id="letters that change their length with their case"),
    ],
)
def test_a_text_comes_back_exactly_as_it_was_sent(
    alice: ApiClient, target: tuple[str, str], text: str
) -> None:
    """Nothing must be trimmed, escaped or normalised (contract.md "A task")."""
    response = alice.send(*target, {"title": text, "description": text})

    assert response.json()["title"] == response.json()["description"] == text
    assert Task.objects.filter(title=text, description=text).count() == 1


def test_a_pair_of_escaped_surrogates_is_one_character(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    r"""\ud83d\ude00 in JSON must be the character that it stands for (RFC 8259 §7)."""
    assert alice.send(*target, r'{"title": "\ud83d\ude00"}').json()["title"] == "😀"
