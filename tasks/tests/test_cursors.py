"""Cursors that are forged or reused for another list (docs/contract.md, "Extensions")."""

import base64
import json
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest

from conftest import ApiClient
from tasks.models import MAX_TASK_ID
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS, ids, links
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

TIME = "2026-01-06T15:30:00.123456+00:00"


def forged(position: Any) -> str:
    """Encode a position as the API does; bytes are encoded as is."""
    content = position if isinstance(position, bytes) else json.dumps(position).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def assert_refused(
    client: ApiClient, cursors: Iterable[tuple[str | None, Any]], encode: Any = forged
) -> None:
    """Assert that cursors, each with an ordering, are refused and change nothing."""
    before = rows()

    def outcome(row: tuple[str | None, Any]) -> Any:
        query = f"limit=2&ordering={row[0]}" if row[0] else "limit=2"
        response = client.send("GET", f"{TASKS}?{query}&cursor={encode(row[1])}")
        problems = [(each["loc"], each["type"]) for each in response.json()["detail"]]
        return response.status_code, problems, rows()

    problem = (["query", "cursor"], "value_error.query")
    assert wrong_rows(cursors, outcome, (422, [problem], before)) == []


POSITIONS: list[tuple[str, Any]] = [
    *(("id", 1001), ("-id", 0), ("id", MAX_TASK_ID), ("title", ""), ("-title", "😀")),
    *(("completed", False), ("-completed", True), ("created_at", TIME)),
    ("-updated_at", "2026-01-06T15:30:00+05:30"),
    ("created_at", "0001-01-01T00:00:00+00:00"),
    ("updated_at", "9999-12-31T23:59:59.999999+00:00"),
]


def test_a_plausible_cursor_is_accepted(alice: ApiClient) -> None:
    """A valid cursor must be accepted even if no task has its id or value."""
    TaskFactory.create_batch(2)

    def status(row: tuple[tuple[str, Any], str]) -> Any:
        (ordering, value), side = row
        cursor = forged([ordering, side, value, 1001])
        url = f"{TASKS}?ordering={ordering}&limit=1&cursor={cursor}"
        return alice.send("GET", url).status_code

    sides = ["after", "from", "before", "until"]
    assert wrong_rows(product(POSITIONS, sides), status, 200) == []


WRONG_VALUES: dict[str, list[Any]] = {
    "id": [None, True, 1.0, "1001", [], {}, 2**63, -(2**63) - 1, 10**400, float("nan"), TIME],
    "title": [None, True, 1, 1.5, [], {}, "\0", "a\0b", "\ud800", "\udfff😀", ["title"]],
    "completed": [None, 0, 1, "true", "", [], {}, 1.0],
    "created_at": [
        *(None, True, 0, 1767713400, 1.5, [], {}, "", "now", "2026-01-06", "\0", "\ud800"),
        *("2026-01-06T15:30:00", "2026-13-01T00:00:00Z", "10000-01-01T00:00:00Z", "infinity"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-01-06T15:30:00+24:00"),
        *("٢٠٢٦-01-06T15:30:00Z", f"{TIME} BC", "2026-W02-2", "0000-01-01T00:00:00Z"),
    ],
}


@pytest.mark.parametrize("field", WRONG_VALUES)
def test_an_invalid_value_is_refused(alice: ApiClient, field: str) -> None:
    """A cursor with an invalid value must be a 422, never a 500."""
    orderings = product([field, f"-{field}"], WRONG_VALUES[field])

    assert_refused(alice, [(each, [each, "after", value, 1001]) for each, value in orderings])


INVALID_TASK_IDS: list[Any] = [
    *(None, True, False, 1.0, "1001", "x", "", [], {}, 2**63, -(2**63) - 1, 10**400, TIME, "\0")
]


def test_an_invalid_id_is_refused(alice: ApiClient) -> None:
    """A cursor whose task id is invalid must be refused."""
    positions = product([("id", 1001), ("title", "Milk"), ("created_at", TIME)], INVALID_TASK_IDS)

    assert_refused(alice, [(each, [each, "from", value, of]) for (each, value), of in positions])


OTHER_SHAPES: list[Any] = [
    *(None, True, 1, 1.5, "after", "id", {}, [], [[]], ["id"], ["id", "after", 1]),
    *(["id", "after", 1, 1, 1], [["id"], "after", 1, 1], [{}, "after", 1, 1]),
    *([None, "after", 1, 1], [1, "after", 1, 1], ["", "after", 1, 1], ["--id", "after", 1, 1]),
    *(["pk", "after", 1, 1], ["user_id", "after", "bob", 1], ["ID", "after", 1, 1]),
    *(["description", "after", "x", 1], ["id__gt", "after", 1, 1], ["", "after", TIME, 1]),
    *(["user_id", "after", TIME, 1], ["-", "after", TIME, 1]),
    *(["id", "", 1, 1], ["id", "AFTER", 1, 1], ["id", "beside", 1, 1], ["id", None, 1, 1]),
    *(["id", [], 1, 1], ["id", {}, 1, 1], ["id", 1, 1, 1], ["id", True, 1, 1]),
    {"id": 1, "after": 2, "1": 3, "2": 4},
    {"id": "id", "side": "after", "value": 1, "task_id": 1},
    b"",
    b"[",
    b"\xff\xfe",
    b'\xef\xbb\xbf["id","after",1,1]x',
    b"[" * 4000,
    b'["id","after",' + b"[" * 2000 + b"]" * 2000 + b",1]",
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'["id","after",NaN,1]',
    b'["id","after",1,Infinity]',
    b'["id","after",' + b"9" * 5000 + b",1]",
]


@pytest.mark.parametrize("ordering", ["id", None])
def test_a_malformed_position_is_refused(alice: ApiClient, ordering: str | None) -> None:
    """Anything but a valid ``[ordering, side, value, task id]`` must be refused."""
    assert_refused(alice, product([ordering], OTHER_SHAPES))


GOOD = forged(["id", "after", 1, 1])
INVALID_CURSORS = [
    *("", "x", "=", "====", "null", "1", "0", "-1", "abc", "ab=c", "%25", "%00", "%20", "+", "."),
    *("%C3%A9", "%F0%9F%98%80", "%FF", "%ED%A0%80", "%D9%A3", "a%0Ab", "W10", "bnVsbA", "e30"),
    *(f"{GOOD}!", f"{GOOD}A", f"{GOOD}%20", f"%20{GOOD}", GOOD[:-1], GOOD[1:]),
    json.dumps(["id", "after", 1, 1]),
]


def test_text_that_is_not_a_cursor_is_refused(alice: ApiClient) -> None:
    """Text that is not an encoded position must be refused."""
    assert_refused(alice, product([None], INVALID_CURSORS), encode=str)


def test_a_cursor_of_another_ordering_is_refused(alice: ApiClient) -> None:
    """A cursor must be valid only with the ordering that it was made for."""
    TaskFactory.create_batch(2)
    given = links(alice.send("GET", f"{TASKS}?limit=1&ordering=title"))["next"]
    cursor = given.rpartition("cursor=")[2]

    assert_refused(alice, product([None, "id", "-title", "updated_at"], [cursor]), encode=str)


def test_a_cursor_without_a_limit_reads_the_rest(alice: ApiClient) -> None:
    """Without a limit, a cursor must select all remaining tasks, without links."""
    _, *rest = TaskFactory.create_batch(3)
    target = links(alice.send("GET", f"{TASKS}?limit=1"))["next"]

    response = alice.send("GET", target.replace("limit=1&", ""))

    assert ids(response) == [task.id for task in rest]
    assert "Link" not in response


@pytest.mark.parametrize("search", ["", "search=milk&"], ids=["all", "search"])
@pytest.mark.parametrize("ordering", ["id", "-id", "title", "-created_at", "completed"])
def test_a_cursor_without_a_limit_reads_backwards_in_list_order(
    alice: ApiClient, ordering: str, search: str
) -> None:
    """Without a limit, a ``prev`` cursor must select all preceding tasks, in list order."""
    for title in ("Milk c", "milk a", "MILK b", "milk a"):
        TaskFactory.create(title=title)
    url = f"{TASKS}?{search}ordering={ordering}"
    everything = ids(alice.send("GET", url))
    first = alice.send("GET", f"{url}&limit=3")
    last = alice.send("GET", links(first)["next"])
    target = links(last)["prev"]

    response = alice.send("GET", target.replace("&limit=3", ""))

    assert ids(response) == everything[:3]
    assert "Link" not in response


def test_a_cursor_never_shows_another_users_tasks(alice: ApiClient, bob: ApiClient) -> None:
    """A cursor of another user's list must select only the caller's tasks (SC-002)."""
    TaskFactory.create_batch(2, user_id="alice")
    theirs = links(alice.send("GET", f"{TASKS}?limit=1"))["next"]
    own = TaskFactory.create(user_id="bob")

    assert ids(bob.send("GET", theirs.replace("/alice/", "/bob/"))) == [own.id]
    assert bob.send("GET", theirs).status_code == 403
