"""Whom a verified token names."""

from typing import Any

import pytest

from authn.tests.forge import forge
from authn.tokens import NoUserError, TokenVerifier, user_id
from conftest import SECRET

EMAIL_LINK = {"email": "alice@example.com", "userId": "alice", "requestType": "change-email"}


def user(**claims: Any) -> str:
    """Sign these claims, verify them, and read the user."""
    return user_id(TokenVerifier([SECRET]).claims(forge({"exp": 253402300799, **claims})))


@pytest.mark.parametrize(
    "named",
    [
        pytest.param({"sub": "alice"}, id="sub"),
        pytest.param({"user_id": "alice"}, id="user_id"),
        pytest.param({"user": {"id": "alice"}}, id="user.id"),
        pytest.param({"sub": "alice", "user_id": "bob", "user": {"id": "bob"}}, id="sub first"),
        pytest.param({"user_id": "alice", "user": {"id": "bob"}}, id="user_id second"),
        pytest.param({"sub": None, "user_id": "alice", "user": {"id": "bob"}}, id="sub null"),
        pytest.param({"sub": None, "user_id": None, "user": {"id": "alice"}}, id="both null"),
        pytest.param({"sub": "alice", "user_id": 1.5, "user": 7}, id="the others are no matter"),
    ],
)
def test_the_first_claim_that_is_present_names_the_user(named: dict[str, Any]) -> None:
    """``sub``, else ``user_id``, else ``user.id``; ``null`` must count as absent (FR-002)."""
    assert user(**named) == "alice"


@pytest.mark.parametrize("bad", ["", "\0", True, False, 1.5, [], ["alice"], {}, {"id": "alice"}])
@pytest.mark.parametrize("good", [{"user_id": "alice"}, {"user": {"id": "alice"}}], ids=repr)
def test_a_sub_that_names_nobody_is_not_passed_over(bad: Any, good: dict[str, Any]) -> None:
    """The first claim that is present must decide, though another could name somebody."""
    with pytest.raises(NoUserError):
        user(sub=bad, **good)


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"sub": None},
        {"sub": None, "user_id": None, "user": {"id": None}},
        {"user": None},
        {"user": {}},
        {"user": "alice"},
        {"user": ["alice"]},
        {"user": [{"id": "alice"}]},
        {"user": {"sub": "alice", "userId": "alice"}},
        {"session": {"userId": "alice"}},
        {"user.id": "alice"},
    ],
    ids=repr,
)
def test_a_token_without_any_of_the_three_claims_names_no_user(named: dict[str, Any]) -> None:
    """A token that names nobody must not become somebody's."""
    with pytest.raises(NoUserError, match="no_user"):
        user(**named)


@pytest.mark.parametrize(
    "name", ["email", "id", "userId", "uid", "name", "username", "Sub", "SUB", "userid", "user-id"]
)
def test_no_other_claim_names_a_user(name: str) -> None:
    """Only the three claims must ever be read (contract.md "Who may come in")."""
    with pytest.raises(NoUserError):
        user(**{name: "alice"})


@pytest.mark.parametrize(
    "link", [EMAIL_LINK, {**EMAIL_LINK, "updateTo": "bob@example.com"}, {"email": "a@example.com"}]
)
def test_an_email_verification_token_opens_nothing(link: dict[str, str]) -> None:
    """Better Auth signs its e-mail links with the same secret; they must name no user."""
    with pytest.raises(NoUserError):
        user(**link)


@pytest.mark.parametrize("claim", ["sub", "user_id", "user"])
@pytest.mark.parametrize(
    ("sent", "read"), [(0, "0"), (7, "7"), (2**63, "9223372036854775808"), (-1, "-1")]
)
def test_an_integer_is_read_as_its_decimal_digits(claim: str, sent: int, read: str) -> None:
    """Better Auth's serial numbers must be ids."""
    assert user(**{claim: {"id": sent} if claim == "user" else sent}) == read


@pytest.mark.parametrize("claim", ["sub", "user_id", "user"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param(1.0, id="a float"),
        pytest.param(["alice"], id="a list"),
        pytest.param({"id": "alice"}, id="an object"),
        pytest.param("", id="an empty string"),
        pytest.param("\0", id="NUL alone"),
        pytest.param("alice\0", id="NUL at the end"),
        pytest.param("a\0lice", id="NUL inside"),
        pytest.param("\ud800", id="a lone high surrogate"),
        pytest.param("alice\udfff", id="a lone low surrogate"),
        pytest.param("\udc00\ud800", id="surrogates the wrong way round"),
        pytest.param("a" * 256, id="256 characters"),
        pytest.param(10**255, id="256 digits"),
    ],
)
def test_a_value_that_is_no_id_names_no_user(claim: str, value: Any) -> None:
    """What cannot be stored, or is neither text nor an integer, must name nobody."""
    with pytest.raises(NoUserError):
        user(**{claim: {"id": value} if claim == "user" else value})


@pytest.mark.parametrize(
    "sub",
    [
        pytest.param("a" * 255, id="255 characters"),
        pytest.param("😀" * 255, id="255 characters beyond the basic plane"),
        pytest.param("550e8400-e29b-41d4-a716-446655440000", id="a UUID"),
        pytest.param("x7Kd0fQz9LmN3pRtVwYbC5eGhJ2sUa1i", id="Better Auth's own"),
        pytest.param("a/b", id="a slash"),
        pytest.param(" alice ", id="blanks"),
        pytest.param(" ", id="a blank"),
        pytest.param("Zoë\n\u202e%41", id="anything else"),
        pytest.param("007", id="leading zeros"),
    ],
)
def test_an_id_is_taken_as_it_is(sub: str) -> None:
    """Nothing of an id must be trimmed, folded or normalised."""
    assert user(sub=sub) == sub


def test_an_integer_of_255_digits_is_an_id() -> None:
    """The length must be that of the digits."""
    assert user(sub=10**254) == f"1{'0' * 254}"
