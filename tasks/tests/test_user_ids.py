"""User ids in paths: decoded once and compared exactly."""

from typing import Any
from urllib.parse import quote

import pytest

from conftest import ApiClient, mint
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

USER_IDS = [
    *("alice", "bob", "Alice", "alice ", "a", "_lice", "%"),
    *("user123", "42", "auth0|5f7c8ec7c33c6c004bbafe82", "alice@example.com", "a b", " a ", "a+b"),
    *("100%", "%41", "%2F", "a%00b", "a?b=c", "a#b", "a;b", "a\\b", ".", "..", "a.b"),
    *("tasks", "complete", "null", "a\nb", "a\tb\r\n", "\x7f\x01", "é", "e\u0301", "用户"),
    *(
        "👩‍👩‍👧‍👦",
        "\u202eadmin",
        "\ufffd",
        "<script>",
        "'; DROP TABLE task; --",
        "x" * 255,
        "😀" * 255,
    ),
]


def test_any_id_has_its_own_path() -> None:
    """An id must be decoded once, as UTF-8, and reach only its own tasks (SC-002)."""

    def outcome(user_id: str) -> Any:
        client, path = ApiClient(user_id), f"/api/{quote(user_id, safe='')}/tasks"
        created = client.send("POST", path, {"title": "Mine"})
        shown = created.json()
        stored = Task.objects.get(pk=shown["id"]).user_id
        is_owner = shown["user_id"] == stored == user_id
        return created.status_code, is_owner, client.send("GET", path).json() == [shown]

    assert wrong_rows(USER_IDS, outcome, (201, True, True)) == []


# a user's id, and a path segment that resembles it
RESEMBLING = [
    *(("alice", "Alice"), ("alice", "ALICE"), ("straße", "strasse")),
    *(("\u00e9", "e%CC%81"), ("e\u0301", "%C3%A9")),  # NFC and NFD
    ("\u212b", "%C3%85"),  # ANGSTROM SIGN and A WITH RING
    *(("alice", "alice%20"), ("alice", "%20alice"), ("alice ", "alice"), ("alice", "alice%0A")),
    *(("alice", "alice%00"), ("alice", "%00alice"), ("a b", "a+b"), ("a+b", "a%20b")),
    *(("A", "%2541"), ("%41", "%41")),  # would match if decoded twice, or not at all
    *(("alice", "alic"), ("alice", "alice2"), ("alice", "me"), ("None", "null")),
    ("alice", "al%D1%96ce"),  # a Cyrillic look-alike
    ("alice", "al\N{ZERO WIDTH SPACE}ice"),
    ("alice", "%EF%BD%81lice"),  # a full-width letter
    *(("alice", "*"), ("alice", "%25"), ("alice", "alic_")),  # wildcards
    *(
        ("42", "042"),
        ("7", "7.0"),
        ("42", "%D9%A4%D9%A2"),
    ),  # digits are text, in any script
    *(("alice", "alice;x=1"), ("alice", "alice%3F"), ("alice", "..")),
]


def test_similar_ids_are_different_users() -> None:
    """Ids must be compared exactly (FR-003)."""
    before = rows()

    def outcome(ids: tuple[str, str]) -> Any:
        user_id, path_user_id = ids
        path = f"/api/{path_user_id}/tasks"
        response = ApiClient(user_id).send("POST", path, {"title": "Theirs"})
        return response.status_code, response.json()["detail"], rows()

    forbidden = "Access forbidden: user_id mismatch"
    assert wrong_rows(RESEMBLING, outcome, (403, forbidden, before)) == []


def test_a_numeric_sub_is_read_as_its_digits() -> None:
    """A numeric ``sub`` must be read as its decimal digits (docs/contract.md, "Authentication")."""
    task = TaskFactory.create(user_id="42")

    response = ApiClient(token=mint(None, sub=42)).send("GET", "/api/42/tasks")

    assert [shown["id"] for shown in response.json()] == [task.id]


@pytest.mark.parametrize("path", ["/api/a/b/tasks", "/api/a%2Fb/tasks", "/api/a%2fb/tasks"])
def test_an_id_with_a_slash_has_no_path(path: str) -> None:
    """A user whose id contains a slash must get a 404."""
    response = ApiClient("a/b").generic("GET", path, RAW_URI=path)

    assert response.status_code == 404
    assert response.json()["detail"] == "Not Found"


@pytest.mark.parametrize(
    "path", ["/api/alice%2Ftasks", "/api%2falice/tasks", "/api/alice/tasks%2F5"]
)
def test_an_encoded_slash_is_not_a_separator(alice: ApiClient, path: str) -> None:
    """A path that matches only after decoding must be a 404 (RFC 3986 §2.2)."""
    TaskFactory.create(id=5)

    assert alice.generic("GET", path, RAW_URI=path).status_code == 404


@pytest.mark.parametrize("encoded", ["%FF", "%C3", "%ED%A0%80"])
def test_an_id_that_is_not_utf_8_matches_no_user(encoded: str) -> None:
    """Bytes that are not UTF-8 must not match a user whose id is their percent-encoding."""
    path = f"/api/{encoded}/tasks"

    assert ApiClient(encoded).generic("GET", path, RAW_URI=path).status_code in (403, 404)
