"""The user id in a verified token (FR-002; docs/contract.md, "Authentication")."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from authn.tests.forge import VERIFIER, forge
from authn.tokens import NoUserError, user_id

LINK = {"email": "alice@example.com", "userId": "alice", "requestType": "change-email"}
CLAIMS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "sub": lambda value: {"sub": value},
    "user_id": lambda value: {"user_id": value},
    "user.id": lambda value: {"user": {"id": value}},
}
INVALID_IDS = [
    *[True, False, 1.0, 1.5, [], ["alice"], {}, {"id": "alice"}],
    *["", "\0", "alice\0", "a\0lice", "\ud800", "alice\udfff", "\udc00\ud800"],
    *["a" * 256, 10**255],
]
INVALID_USERS: list[Any] = [None, {}, "alice", ["alice"], [{"id": "alice"}]]
IDS = [
    *["a" * 255, "😀" * 255, "550e8400-e29b-41d4-a716-446655440000"],
    *["x7Kd0fQz9LmN3pRtVwYbC5eGhJ2sUa1i", "a/b", " alice ", " ", "Zoë\n\u202e%41", "007"],
]


def user(claims: dict[str, Any]) -> str:
    """Return the user id of a token with these claims, or the reason it has none."""
    try:
        return user_id(VERIFIER.claims(forge({"exp": 253402300799, **claims})))
    except NoUserError as error:
        return error.reason


def mismatches(expected: str, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the claims whose user is not the expected one, with their users."""
    users = {repr(row): user(row) for row in rows}
    assert users
    return {row: actual for row, actual in users.items() if actual != expected}


def test_the_first_present_claim_determines_the_user_id() -> None:
    """The order must be ``sub``, ``user_id``, ``user.id``; ``null`` counts as absent (FR-002)."""
    rows: list[dict[str, Any]] = [
        *(claims("alice") for claims in CLAIMS.values()),
        {"sub": "alice", "user_id": "bob", "user": {"id": "bob"}},
        {"user_id": "alice", "user": {"id": "bob"}},
        {"sub": None, "user_id": "alice", "user": {"id": "bob"}},
        {"sub": None, "user_id": None, "user": {"id": "alice"}},
        {"sub": "alice", "user_id": 1.5, "user": 7},
    ]

    assert mismatches("alice", rows) == {}


def test_an_invalid_sub_is_not_skipped() -> None:
    """The first present claim must decide, even if a later one is valid."""
    others: list[dict[str, Any]] = [{"user_id": "alice"}, {"user": {"id": "alice"}}]

    assert (
        mismatches(
            "no_user",
            [{"sub": invalid, **other} for invalid, other in product(INVALID_IDS, others)],
        )
        == {}
    )


def test_a_token_without_a_user_claim_has_no_user() -> None:
    """No other claim may determine the user, least of all those of an e-mail link."""
    names = ["email", "id", "userId", "uid", "name", "username", "Sub", "SUB", "userid", "user-id"]
    rows: list[dict[str, Any]] = [
        *({name: "alice"} for name in names),
        {},
        {"sub": None},
        {"sub": None, "user_id": None, "user": {"id": None}},
        *({"user": value} for value in INVALID_USERS),
        {"user": {"sub": "alice", "userId": "alice"}},
        {"session": {"userId": "alice"}},
        {"user.id": "alice"},
        LINK,
        {**LINK, "updateTo": "bob@example.com"},
    ]

    assert mismatches("no_user", rows) == {}


def test_an_integer_is_converted_to_decimal_digits() -> None:
    """Better Auth's serial ids must be accepted, up to 255 digits."""
    numbers = [0, 7, 2**63, -1, 10**254]

    rows = [(str(number), claims(number)) for number in numbers for claims in CLAIMS.values()]

    assert [user(claims) for _, claims in rows] == [digits for digits, _ in rows]


def test_an_invalid_user_id_is_refused() -> None:
    """An id must be a string or an integer that the database can store."""
    assert (
        mismatches(
            "no_user", [claims(invalid) for invalid in INVALID_IDS for claims in CLAIMS.values()]
        )
        == {}
    )


def test_a_user_id_is_returned_unchanged() -> None:
    """An id must not be trimmed, case-folded or normalised."""
    assert [user({"sub": sub}) for sub in IDS] == IDS
