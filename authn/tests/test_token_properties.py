"""Properties of arbitrary and mutated tokens."""

from string import ascii_letters, digits
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authn.tests.forge import HEADER, forge
from authn.tokens import TokenError, TokenVerifier, user_id
from conftest import SECRET

VERIFIER = TokenVerifier([SECRET])
VALID = forge({"sub": "alice", "exp": 253402300799, "jti": "x7Kd0fQz9LmN3pRtVwYbC5eGhJ2sUa1i"})
EXAMPLES = settings(max_examples=300)

POSITIONS = st.integers(0, len(VALID) - 1)
CHARACTERS = st.sampled_from(f"{ascii_letters}{digits}-_.=") | st.characters()

NAMES = st.sampled_from(["sub", "user_id", "user", "id", "exp", "iat", "nbf", "iss", "aud", "x"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 10**30, 253402300799, 253402300800])
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=5) | st.just("alice")
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)
HEADERS = st.just(HEADER) | st.dictionaries(
    st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk"]), VALUES | st.just("HS256")
)
RAW = st.binary(max_size=60) | st.text(st.characters(codec="utf-8"), max_size=60)


def user_of(token: str, verifier: TokenVerifier = VERIFIER) -> str | None:
    """Return the user of a token, or ``None`` if it is refused. Other exceptions propagate."""
    try:
        return user_id(verifier.claims(token))
    except TokenError:
        return None


@EXAMPLES
@given(position=POSITIONS, character=CHARACTERS)
def test_a_token_with_one_replaced_character_is_refused(position: int, character: str) -> None:
    """Replacing any character with another must invalidate the token."""
    mutated = VALID[:position] + character + VALID[position + 1 :]

    assert user_of(mutated) == ("alice" if mutated == VALID else None)


@EXAMPLES
@given(position=st.integers(0, len(VALID)), character=CHARACTERS)
def test_a_token_with_one_inserted_character_is_refused(position: int, character: str) -> None:
    """Inserting a character must invalidate the token."""
    assert user_of(VALID[:position] + character + VALID[position:]) is None


def test_a_token_with_one_missing_character_is_refused() -> None:
    """Removing any character must invalidate the token."""
    shorter = [VALID[:position] + VALID[position + 1 :] for position in range(len(VALID))]

    assert {user_of(token) for token in shorter} == {None}


@EXAMPLES
@given(token=st.text() | st.from_regex(r"[\w-]*(\.[\w-]*){0,4}=?", fullmatch=True))
def test_arbitrary_text_is_refused_with_a_token_error(token: str) -> None:
    """Text that is not a signed token must raise a token error and nothing else."""
    assert user_of(token) is None


@EXAMPLES
@given(payload=RAW | VALUES, header=RAW | HEADERS)
def test_an_arbitrary_signed_token_raises_only_token_errors(payload: Any, header: Any) -> None:
    """A signed token may raise only token errors; only an object payload may be accepted."""
    assert user_of(forge(payload, header)) is None or isinstance(payload, dict)


@EXAMPLES
@given(claims=OBJECTS, header=HEADERS, strict=st.booleans())
def test_the_user_is_a_value_of_a_user_claim(
    claims: dict[str, Any], header: dict[str, Any], *, strict: bool
) -> None:
    """An accepted token's user must come from one of the three user claims."""
    issuer = "alice" if strict else ""
    claims = {"exp": 253402300799, **claims}
    verifier = TokenVerifier([SECRET], issuer=issuer, audience=issuer)
    nested = claims["user"].get("id") if isinstance(claims.get("user"), dict) else None
    values = (claims.get("sub"), claims.get("user_id"), nested)
    users = {str(value) for value in values if type(value) in (str, int)}

    assert user_of(forge(claims, header), verifier) in {None, *users}
