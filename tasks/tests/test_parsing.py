"""The accepted bodies: JSON in UTF-8, declared as such."""

import json
from typing import Any

import pytest

from conftest import ApiClient
from tasks.tests.factories import rows
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

LIMIT_BYTES = 64 * 1024
JSON = "application/json"
TASK = b'{"title": "Buy milk"}'
UNSUPPORTED = {"detail": "Unsupported media type", "error": "Unsupported media type"}
PARSE_ERROR = "JSON parse error"

NOT_JSON = [
    *(b" ", b"{", b'{"title": "a"} x', b"{'title': 'a'}", b'{"title": "a",}', b"title=a", b"\0"),
    *(b'{"title": "a\nb"}', b'{"title": "\\x41"}', b'{"title": NaN}', b"NaN"),
    *(b'{"title": "a", "completed": Infinity}', b'{"title": "a", "priority": [-Infinity]}'),
    *(b'\xef\xbb\xbf{"title": "a"}', b'{"title": "\xff"}', b'{"title": "\xc3"}'),
    *(b'{"title": "\xc0\x80"}', b'{"title": "\xed\xa0\x80"}'),
    *('{"title": "é"}'.encode(name) for name in ("latin-1", "utf-16", "utf-16-le", "utf-32")),
    b"[" * 60_000,
    b'{"a":' * 12_000,
    b'{"title": "a", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b'{"title": "\\ud800", "x": ' + b"[" * 60_000,
    b"1" * 5000,
    b'{"title": "a", "priority": -' + b"1" * 5000 + b"}",
]
JSON_TYPES = [
    *("application/json", "Application/JSON", "application/json;", "application/json; version=1"),
    *("application/json; charset=utf-8", "application/json;charset=UTF-8"),
    *('application/json; charset="utf-8"', "application/json; Charset=Utf-8"),
    "application/json; profile=x; charset=utf-8; q=1",
]
OTHER_TYPES = [
    *("", "text/plain", "text/json", "application/x-www-form-urlencoded", "application", "json"),
    *("multipart/form-data; boundary=x", "application/vnd.api+json", "application/jsonp"),
    *("application/xml", "*/*", "application/json, text/plain", "application/json; charset=utf-16"),
    *("application/json; charset=latin-1", "application/json; charset=us-ascii"),
    "application/json; charset=no-such-thing",
    'application/json; version=1; charset="iso-8859-1"',
]


def test_an_empty_body_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """An empty body must be a 400, whatever its type (docs/contract.md, "A task")."""
    before = rows()

    def outcome(content_type: str) -> Any:
        response = alice.generic(*target, b"", CONTENT_TYPE=content_type)
        return response.status_code, response.json()["detail"][: len(PARSE_ERROR)], rows()

    assert wrong_rows([JSON, "text/plain", ""], outcome, (400, PARSE_ERROR, before)) == []


def test_invalid_json_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """A body that is not JSON in UTF-8 must be a 400 (docs/contract.md, "Errors")."""
    before = rows()

    def outcome(body: bytes) -> Any:
        response = alice.generic(*target, body, JSON)
        detail, error = response.json()["detail"], response.json()["error"]
        return response.status_code, detail[: len(PARSE_ERROR)], error == detail, rows()

    assert wrong_rows(NOT_JSON, outcome, (400, PARSE_ERROR, True, before)) == []


def test_a_body_that_is_nested_too_deeply_is_refused(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """The limit must be the same on every version of Python."""
    before = rows()
    nested = [b"[" * 1025 + b"]" * 1025, b'{"x":' * 1025 + b"1" + b"}" * 1025]

    def outcome(value: bytes) -> Any:
        response = alice.generic(*target, b'{"title": "a", "x": ' + value + b"}", JSON)
        return response.status_code, response.json()["detail"], rows()

    expected = (400, "JSON parse error - nested too deeply", before)
    assert wrong_rows(nested, outcome, expected) == []


def test_a_huge_number_is_never_a_500(alice: ApiClient, target: tuple[str, str]) -> None:
    """A huge number in place of a title must be a 400 or a 422 (docs/contract.md, "Errors")."""
    numbers = [b"1e999", b"-1e999", b"1e-999", b"1" * 4000, b"1." + b"1" * 5000]
    before = rows()

    def outcome(number: bytes) -> Any:
        response = alice.generic(*target, b'{"title": %b}' % number, JSON)
        return response.status_code in (400, 422), rows()

    assert wrong_rows(numbers, outcome, (True, before)) == []


def test_the_last_value_of_a_repeated_key_is_used(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """Repeated keys must be read as in JavaScript (docs/contract.md, "Errors")."""
    response = alice.generic(*target, b'{"title": 1, "title": "a", "title": "b"}', JSON)

    assert response.json()["title"] == "b"


def test_json_is_accepted_with_any_parameters(alice: ApiClient, target: tuple[str, str]) -> None:
    """Case and parameters other than ``charset`` must not matter (docs/contract.md, "Errors")."""

    def outcome(content_type: str) -> Any:
        title = f"as {content_type!a}"
        response = alice.generic(*target, json.dumps({"title": title}), content_type)
        return response.status_code in (200, 201), response.json().get("title") == title

    assert wrong_rows(JSON_TYPES, outcome, (True, True)) == []


def test_another_content_type_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """Only JSON in UTF-8 may be accepted (docs/contract.md, "Errors")."""
    before = rows()

    def outcome(content_type: str) -> Any:
        response = alice.generic(*target, TASK, content_type)
        return response.status_code, response.json(), rows()

    assert wrong_rows(OTHER_TYPES, outcome, (415, UNSUPPORTED, before)) == []


def test_checks_of_the_body_are_ordered(alice: ApiClient) -> None:
    """The order of the checks must be 413, 400 (empty), 415, 400 (malformed), 404."""
    obstacles = {
        (b"x" * (LIMIT_BYTES + 1), "text/plain"): 413,
        (b"", "text/plain"): 400,
        (b"{", "text/plain"): 415,
        (b"{", JSON): 400,
        (b"{}", JSON): 404,
    }

    statuses = [alice.generic("PUT", "/api/alice/tasks/5", *row).status_code for row in obstacles]

    assert statuses == list(obstacles.values())
