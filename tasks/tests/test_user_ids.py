"""Whose path is it? Ids are compared character for character, after one decoding."""

from urllib.parse import quote

import pytest

from conftest import ApiClient, mint
from tasks.models import Task
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "user_id",
    [
        "user123",
        "42",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "alice@example.com",
        "a b",
        " a ",
        "a+b",
        "100%",
        "%41",
        "%2F",
        "a%00b",
        "a?b=c",
        "a#b",
        "a;b",
        "a\\b",
        ".",
        "..",
        "a.b",
        "tasks",
        "complete",
        "null",
        "a\nb",
        "a\tb\r\n",
        "\x7f\x01",
        "é",
        "e\u0301",
        "用户",
        "👩‍👩‍👧‍👦",
        "\u202eadmin",
        "\ufffd",
        "<script>",
        "'; DROP TABLE task; --",
        "x" * 255,
        "😀" * 255,
    ],
    ids=lambda user_id: ascii(user_id)[:20],
)
def test_whatever_characters_an_id_has_its_path_is_its_own(user_id: str) -> None:
    """An id must be percent-decoded once, as UTF-8, and kept as it is (contract.md "Six …")."""
    client = ApiClient(user_id)
    path = f"/api/{quote(user_id, safe='')}/tasks"

    created = client.send("POST", path, {"title": "Mine"})

    assert created.status_code == 201
    assert created.json()["user_id"] == Task.objects.get().user_id == user_id
    assert client.send("GET", path).json() == [created.json()]


@pytest.mark.parametrize(
    ("user_id", "path_user_id"),
    [
        pytest.param("alice", "Alice", id="case"),
        pytest.param("alice", "ALICE", id="upper case"),
        pytest.param("straße", "strasse", id="case folding"),
        pytest.param("\u00e9", "e%CC%81", id="NFC and NFD"),
        pytest.param("e\u0301", "%C3%A9", id="NFD and NFC"),
        pytest.param("\u212b", "%C3%85", id="ANGSTROM SIGN and A WITH RING"),
        pytest.param("alice", "alice%20", id="space after"),
        pytest.param("alice", "%20alice", id="space before"),
        pytest.param("alice ", "alice", id="space missing"),
        pytest.param("alice", "alice%0A", id="line feed"),
        pytest.param("alice", "alice%00", id="NUL"),
        pytest.param("alice", "%00alice", id="NUL before"),
        pytest.param("a b", "a+b", id="a plus is no space"),
        pytest.param("a+b", "a%20b", id="a space is no plus"),
        pytest.param("A", "%2541", id="decoded once"),
        pytest.param("%41", "%41", id="decoded at all"),
        pytest.param("alice", "alic", id="prefix"),
        pytest.param("alice", "alice2", id="longer"),
        pytest.param("alice", "al%D1%96ce", id="a Cyrillic letter that looks the same"),
        pytest.param("alice", "al\N{ZERO WIDTH SPACE}ice", id="zero width"),
        pytest.param("alice", "*", id="star"),
        pytest.param("alice", "%25", id="a wildcard of SQL"),
        pytest.param("42", "042", id="digits are text"),
        pytest.param("42", "%D9%A4%D9%A2", id="other scripts' digits"),
        pytest.param("alice", "alice;x=1", id="path parameters"),
        pytest.param("alice", "alice%3F", id="question mark"),
        pytest.param("alice", "..", id="dots"),
    ],
)
def test_ids_that_only_resemble_each_other_are_two_users(user_id: str, path_user_id: str) -> None:
    """Ids must be compared exactly (contract.md "Six endpoints and a health check", FR-003)."""
    TaskFactory.create(user_id=user_id)
    before = rows()

    response = ApiClient(user_id).send("POST", f"/api/{path_user_id}/tasks", {"title": "Theirs"})

    assert response.status_code == 403
    assert response.json()["detail"] == "Access forbidden: user_id mismatch"
    assert rows() == before


def test_a_number_is_read_as_its_digits() -> None:
    """A numeric ``sub`` must be the user of those digits (contract.md "Who may come in")."""
    task = TaskFactory.create(user_id="42")

    response = ApiClient(token=mint(None, sub=42)).send("GET", "/api/42/tasks")

    assert [shown["id"] for shown in response.json()] == [task.id]


@pytest.mark.parametrize("path", ["/api/a/b/tasks", "/api/a%2Fb/tasks", "/api/a%2fb/tasks"])
def test_an_id_with_a_slash_has_no_path(path: str) -> None:
    """A user whose id contains a slash must get a 404 (contract.md "Six endpoints …")."""
    response = ApiClient("a/b").generic("GET", path, RAW_URI=path)

    assert response.status_code == 404
    assert response.json()["detail"] == "Not Found"


@pytest.mark.parametrize(
    "path", ["/api/alice%2Ftasks", "/api%2falice/tasks", "/api/alice/tasks%2F5"]
)
def test_an_encoded_slash_separates_nothing(alice: ApiClient, path: str) -> None:
    """What only decoding would make one of the six paths must be none (RFC 3986 §2.2)."""
    TaskFactory.create(id=5)

    assert alice.generic("GET", path, RAW_URI=path).status_code == 404


@pytest.mark.parametrize("encoded", ["%FF", "%C3", "%ED%A0%80"])
def test_an_id_that_is_not_utf_8_is_nobodys(encoded: str) -> None:
    """Bytes that are not UTF-8 must not become the id that they would be written as."""
    path = f"/api/{encoded}/tasks"

    assert ApiClient(encoded).generic("GET", path, RAW_URI=path).status_code in (403, 404)
