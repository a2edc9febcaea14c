"""Whom a verified token names (FR-002, docs/contract.md, "Who may come in")."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from authn.tests.forge import VERIFIER, forge
from authn.tokens import NoUserError, user_id

LINK = {"email": "alice@example.com", "userId": "alice", "requestType": "change-email"}
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "sub": lambda value: {"sub": value},
    "user_id": lambda value: {"user_id": value},
    "user.id": lambda value: {"user": {"id": value}},
}
NO_IDS = [
    *[True, False, 1.0, 1.5, [], ["alice"], {}, {"id": "alice"}],
    *["", "\0", "alice\0", "a\0lice", "\ud800", "alice\udfff", "\udc00\ud800"],
    *["a" * 256, 10**255],
]
NO_USERS: list[Any] = [None, {}, "alice", ["alice"], [{"id": "alice"}]]
IDS = [
    *["a" * 255, "😀" * 255, "550e8400-e29b-41d4-a716-446655440000"],
    *["x7Kd0fQz9LmN3pRtVwYbC5eGhJ2sUa1i", "a/b", " alice ", " ", "Zoë\n\u202e%41", "007"],
]


def user(claims: dict[str, Any]) -> str:
    """Sign these claims, verify them, and return the user, or the reason why there is none."""
    try:
        return user_id(VERIFIER.claims(forge({"exp": 253402300799, **claims})))
    except NoUserError as error:
        return error.reason


def unlike(expected: str, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the claims that name somebody else than expected."""
    named = {repr(row): user(row) for row in rows}
    assert named
    return {row: found for row, found in named.items() if found != expected}


def test_the_first_claim_that_is_present_names_the_user() -> None:
    """``sub``, else ``user_id``, else ``user.id``; ``null`` must count as absent (FR-002)."""
    rows: list[dict[str, Any]] = [
        *(claims("alice") for claims in PLACES.values()),
        {"sub": "alice", "user_id": "bob", "user": {"id": "bob"}},
        {"user_id": "alice", "user": {"id": "bob"}},
        {"sub": None, "user_id": "alice", "user": {"id": "bob"}},
        {"sub": None, "user_id": None, "user": {"id": "alice"}},
        {"sub": "alice", "user_id": 1.5, "user": 7},
    ]

    assert unlike("alice", rows) == {}


def test_a_sub_that_names_nobody_is_not_passed_over() -> None:
    """The first claim that is present must decide, though another could name somebody."""
    others: list[dict[str, Any]] = [{"user_id": "alice"}, {"user": {"id": "alice"}}]

    assert unlike("no_user", [{"sub": bad, **good} for bad, good in product(NO_IDS, others)]) == {}


def test_a_token_without_any_of_the_three_claims_names_no_user() -> None:
    """Nothing else must name a user: no other claim, and nothing in a link of an e-mail."""
    names = ["email", "id", "userId", "uid", "name", "username", "Sub", "SUB", "userid", "user-id"]
    rows: list[dict[str, Any]] = [
        *({name: "alice"} for name in names),
        {},
        {"sub": None},
        {"sub": None, "user_id": None, "user": {"id": None}},
        *({"user": value} for value in NO_USERS),
        {"user": {"sub": "alice", "userId": "alice"}},
        {"session": {"userId": "alice"}},
        {"user.id": "alice"},
        LINK,
        {**LINK, "updateTo": "bob@example.com"},
    ]

    assert unlike("no_user", rows) == {}


def test_an_integer_is_read_as_its_decimal_digits() -> None:
    """Better Auth's serial numbers must be ids, of up to 255 digits."""
    numbers = [0, 7, 2**63, -1, 10**254]

    rows = [(str(number), claims(number)) for number in numbers for claims in PLACES.values()]

    assert [user(claims) for _, claims in rows] == [digits for digits, _ in rows]


def test_a_value_that_is_no_id_names_no_user() -> None:
    """What cannot be stored, or is neither text nor an integer, must name nobody."""
    assert unlike("no_user", [claims(bad) for bad in NO_IDS for claims in PLACES.values()]) == {}


def test_an_id_is_taken_as_it_is() -> None:
    """Nothing of an id must be trimmed, folded or normalised."""
    assert [user({"sub": sub}) for sub in IDS] == IDS
