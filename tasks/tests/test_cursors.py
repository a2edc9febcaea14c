"""Cursors that no ``Link`` header gave (contract.md "What goes beyond the plan", list options)."""

import base64
import json
from typing import Any

import pytest

from conftest import ApiClient
from tasks.models import MAX_TASK_ID
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.link_walker import TASKS, ids, links

pytestmark = pytest.mark.django_db

MOMENT = "2026-01-06T15:30:00.123456+00:00"


def forged(position: Any) -> str:
    """Encode a position as the API does; bytes are taken as they are."""
    content = position if isinstance(position, bytes) else json.dumps(position).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize(
    ("ordering", "value"),
    [
        ("id", 1001),
        ("-id", 0),
        ("id", MAX_TASK_ID),
        ("title", ""),
        ("-title", "😀"),
        ("completed", False),
        ("-completed", True),
        ("created_at", MOMENT),
        ("-updated_at", "2026-01-06T15:30:00+05:30"),
        ("created_at", "0001-01-01T00:00:00+00:00"),
        ("updated_at", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
@pytest.mark.parametrize("side", ["after", "from", "before", "until"])
def test_a_position_that_could_be_one_is_accepted(
    alice: ApiClient, ordering: str, value: Any, side: str
) -> None:
    """A position needs no task at it: that may have been deleted."""
    TaskFactory.create_batch(2)
    cursor = forged([ordering, side, value, 1001])

    response = alice.send("GET", f"{TASKS}?ordering={ordering}&limit=1&cursor={cursor}")

    assert response.status_code == 200


WRONG_VALUES: dict[str, list[Any]] = {
    "id": [None, True, 1.0, "1001", [], {}, 2**63, -(2**63) - 1, 10**400, float("nan"), MOMENT],
    "title": [None, True, 1, 1.5, [], {}, "\0", "a\0b", "\ud800", "\udfff😀", ["title"]],
    "completed": [None, 0, 1, "true", "", [], {}, 1.0],
    "created_at": [
        *(None, True, 0, 1767713400, 1.5, [], {}, "", "now", "2026-01-06", "\0", "\ud800"),
        *("2026-01-06T15:30:00", "2026-13-01T00:00:00Z", "10000-01-01T00:00:00Z", "infinity"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-01-06T15:30:00+24:00"),
        *("٢٠٢٦-01-06T15:30:00Z", f"{MOMENT} BC", "2026-W02-2", "0000-01-01T00:00:00Z"),
    ],
}


@pytest.mark.parametrize(
    ("ordering", "value"),
    [
        (f"{sign}{field}", value)
        for field, values in WRONG_VALUES.items()
        for value in values
        for sign in ("", "-")
    ],
    ids=ascii,
)
def test_a_value_that_the_column_cannot_have_is_refused(
    alice: ApiClient, ordering: str, value: Any
) -> None:
    """It must be a 422 and never reach the database, least of all as a fault of ours."""
    refuse(alice, ordering, forged([ordering, "after", value, 1001]))


@pytest.mark.parametrize(
    "task_id",
    [None, True, False, 1.0, "1001", "x", "", [], {}, 2**63, -(2**63) - 1, 10**400, MOMENT, "\0"],
    ids=ascii,
)
@pytest.mark.parametrize(
    ("ordering", "value"), [("id", 1001), ("title", "Milk"), ("created_at", MOMENT)]
)
def test_an_id_that_is_none_is_refused(
    alice: ApiClient, ordering: str, value: Any, task_id: Any
) -> None:
    """What decides between equals must be an id, too."""
    refuse(alice, ordering, forged([ordering, "from", value, task_id]))


@pytest.mark.parametrize(
    "position",
    [
        *(None, True, 1, 1.5, "after", "id", {}, [], [[]], ["id"], ["id", "after", 1]),
        *(["id", "after", 1, 1, 1], [["id"], "after", 1, 1], [{}, "after", 1, 1]),
        *([None, "after", 1, 1], [1, "after", 1, 1], ["", "after", 1, 1], ["--id", "after", 1, 1]),
        *(["pk", "after", 1, 1], ["user_id", "after", "bob", 1], ["ID", "after", 1, 1]),
        *(["description", "after", "x", 1], ["id__gt", "after", 1, 1], ["", "after", MOMENT, 1]),
        *(["user_id", "after", MOMENT, 1], ["-", "after", MOMENT, 1]),
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
    ],
    ids=lambda position: ascii(position)[:40],
)
@pytest.mark.parametrize("ordering", ["id", None])
def test_a_position_of_another_shape_is_refused(
    alice: ApiClient, ordering: str | None, position: Any
) -> None:
    """Whatever a cursor decodes to, it must be a position or be refused."""
    refuse(alice, ordering, forged(position))


@pytest.mark.parametrize(
    "cursor",
    [
        *(
            "",
            "x",
            "=",
            "====",
            "null",
            "1",
            "0",
            "-1",
            "abc",
            "ab=c",
            "%25",
            "%00",
            "%20",
            "+",
            ".",
        ),
        *("%C3%A9", "%F0%9F%98%80", "%FF", "%ED%A0%80", "%D9%A3", "a%0Ab", "W10", "bnVsbA", "e30"),
        f"{forged(['id', 'after', 1, 1])}!",
        f"{forged(['id', 'after', 1, 1])}A",
        f"{forged(['id', 'after', 1, 1])}%20",
        f"%20{forged(['id', 'after', 1, 1])}",
        forged(["id", "after", 1, 1])[:-1],
        forged(["id", "after", 1, 1])[1:],
        json.dumps(["id", "after", 1, 1]),
    ],
)
def test_a_text_that_is_no_cursor_is_refused(alice: ApiClient, cursor: str) -> None:
    """What is no base64 of JSON must be refused like any other bad value."""
    refuse(alice, None, cursor)


@pytest.mark.parametrize("ordering", [None, "id", "-title", "updated_at"])
def test_a_cursor_of_another_ordering_is_refused(alice: ApiClient, ordering: str | None) -> None:
    """A position means nothing in a list of another order."""
    TaskFactory.create_batch(2)
    given = links(alice.send("GET", f"{TASKS}?limit=1&ordering=title"))["next"]

    refuse(alice, ordering, given.rpartition("cursor=")[2])


def test_a_cursor_without_a_limit_reads_the_rest(alice: ApiClient) -> None:
    """A position must hold however many tasks are asked for."""
    _, *rest = TaskFactory.create_batch(3)
    target = links(alice.send("GET", f"{TASKS}?limit=1"))["next"]

    response = alice.send("GET", target.replace("limit=1&", ""))

    assert ids(response) == [task.id for task in rest]
    assert "Link" not in response


def test_a_cursor_shows_nobody_elses_tasks(alice: ApiClient, bob: ApiClient) -> None:
    """Another user's position must open nothing of that user's list (SC-002)."""
    TaskFactory.create_batch(2, user_id="alice")
    theirs = links(alice.send("GET", f"{TASKS}?limit=1"))["next"]
    own = TaskFactory.create(user_id="bob")

    assert ids(bob.send("GET", theirs.replace("/alice/", "/bob/"))) == [own.id]
    assert bob.send("GET", theirs).status_code == 403


def refuse(client: ApiClient, ordering: str | None, cursor: str) -> None:
    """Send a cursor that must be refused, and change nothing."""
    before = rows()
    query = f"limit=2&ordering={ordering}" if ordering else "limit=2"

    response = client.send("GET", f"{TASKS}?{query}&cursor={cursor}")

    (problem,) = response.json()["detail"]
    assert response.status_code == 422
    assert (problem["loc"], problem["type"]) == (["query", "cursor"], "value_error.query")
    assert rows() == before
