"""What a body may be: JSON in UTF-8, declared as such."""

import pytest

from conftest import ApiClient
from tasks.tests.factories import rows

pytestmark = pytest.mark.django_db

LIMIT_BYTES = 64 * 1024
JSON = "application/json"
TASK = b'{"title": "Buy milk"}'
UNSUPPORTED = {"detail": "Unsupported media type", "error": "Unsupported media type"}


@pytest.mark.parametrize("content_type", [JSON, "text/plain", ""])
def test_no_body_at_all_is_refused(
    alice: ApiClient, target: tuple[str, str], content_type: str
) -> None:
    """An empty body must be a 400, whatever its type (contract.md "A task")."""
    before = rows()

    response = alice.generic(*target, b"", CONTENT_TYPE=content_type)

    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error")
    assert rows() == before


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b'{"title": "a"} x',
        b"{'title': 'a'}",
        b'{"title": "a",}',
        b'{"title": "a\nb"}',
        b'{"title": "\\x41"}',
        b"title=a",
        b"\0",
        b'{"title": NaN}',
        b'{"title": "a", "completed": Infinity}',
        b'{"title": "a", "priority": [-Infinity]}',
        b"NaN",
        b'\xef\xbb\xbf{"title": "a"}',
        b'{"title": "\xff"}',
        b'{"title": "\xc3"}',
        b'{"title": "\xc0\x80"}',
        b'{"title": "\xed\xa0\x80"}',
        '{"title": "é"}'.encode("latin-1"),
        '{"title": "a"}'.encode("utf-16"),
        '{"title": "a"}'.encode("utf-16-le"),
        '{"title": "a"}'.encode("utf-32"),
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"title": "a", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b"1" * 5000,
        b'{"title": "a", "priority": -' + b"1" * 5000 + b"}",
    ],
    ids=lambda body: ascii(body)[:30],
)
def test_what_is_not_json_is_refused(
    alice: ApiClient, target: tuple[str, str], body: bytes
) -> None:
    """What cannot be read as JSON in UTF-8 must be a 400 (contract.md "Errors")."""
    before = rows()

    response = alice.generic(*target, body, JSON)

    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error")
    assert response.json()["error"] == response.json()["detail"]
    assert rows() == before


@pytest.mark.parametrize(
    "number", [b"1e999", b"-1e999", b"1e-999", b"1" * 4000, b"1." + b"1" * 5000]
)
def test_a_number_beyond_every_range_is_no_fault_of_ours(
    alice: ApiClient, target: tuple[str, str], number: bytes
) -> None:
    """A number that no column holds must be refused where it counts (contract.md "Errors")."""
    before = rows()

    response = alice.generic(*target, b'{"title": %b}' % number, JSON)

    assert response.status_code in (400, 422)
    assert rows() == before


def test_of_repeated_names_the_last_counts(alice: ApiClient, target: tuple[str, str]) -> None:
    """Repeated keys must be read as JavaScript reads them (contract.md "Errors")."""
    response = alice.generic(*target, b'{"title": 1, "title": "a", "title": "b"}', JSON)

    assert response.json()["title"] == "b"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; Charset=Utf-8",
        "application/json; version=1",
        "application/json; profile=x; charset=utf-8; q=1",
        "application/json;",
    ],
)
def test_json_is_taken_whatever_its_parameters(
    alice: ApiClient, target: tuple[str, str], content_type: str
) -> None:
    """Parameters must not matter, nor upper and lower case (contract.md "Errors")."""
    response = alice.generic(*target, TASK, content_type)

    assert response.status_code in (200, 201)
    assert response.json()["title"] == "Buy milk"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/vnd.api+json",
        "application/jsonp",
        "application/xml",
        "application",
        "json",
        "*/*",
        "application/json, text/plain",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=us-ascii",
        "application/json; charset=no-such-thing",
        'application/json; version=1; charset="iso-8859-1"',
    ],
)
def test_another_type_than_json_is_refused(
    alice: ApiClient, target: tuple[str, str], content_type: str
) -> None:
    """Only JSON in UTF-8 must be read, and nothing guessed (contract.md "Errors")."""
    before = rows()

    response = alice.generic(*target, TASK, content_type)

    assert response.status_code == 415
    assert response.json() == UNSUPPORTED
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"x" * (LIMIT_BYTES + 1), "text/plain", 413),
        (b"", "text/plain", 400),
        (b"{", "text/plain", 415),
        (b"{", JSON, 400),
        (b"{}", JSON, 404),
    ],
    ids=["too large", "empty", "wrong type", "not JSON", "readable"],
)
def test_the_first_obstacle_decides(
    alice: ApiClient, body: bytes, content_type: str, status: int
) -> None:
    """The checks must run 413, 400 of an empty body, 415, 400, and before the 404."""
    assert alice.generic("PUT", "/api/alice/tasks/5", body, content_type).status_code == status
