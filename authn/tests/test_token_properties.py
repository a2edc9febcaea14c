"""What holds for any token whatever."""

from string import ascii_letters, digits
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authn.tests.forge import HEADER, forge
from authn.tokens import TokenError, TokenVerifier, user_id
from conftest import SECRET

VERIFIER = TokenVerifier([SECRET])
GOOD = forge({"sub": "alice", "exp": 253402300799, "jti": "x7Kd0fQz9LmN3pRtVwYbC5eGhJ2sUa1i"})
EXAMPLES = settings(max_examples=300)

PLACES = st.integers(0, len(GOOD) - 1)
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


def whose(token: str, verifier: TokenVerifier = VERIFIER) -> str | None:
    """Return the user, or ``None`` where the token is refused. Anything else raised is a fault."""
    try:
        return user_id(verifier.claims(token))
    except TokenError:
        return None


@EXAMPLES
@given(place=PLACES, character=CHARACTERS)
def test_no_token_with_one_character_replaced_names_another_user(
    place: int, character: str
) -> None:
    """A replaced character must void the token, or be the same one."""
    mutation = GOOD[:place] + character + GOOD[place + 1 :]

    assert whose(mutation) == ("alice" if mutation == GOOD else None)


@EXAMPLES
@given(place=st.integers(0, len(GOOD)), character=CHARACTERS)
def test_no_token_with_one_character_more_is_accepted(place: int, character: str) -> None:
    """An inserted character must void the token."""
    assert whose(GOOD[:place] + character + GOOD[place:]) is None


def test_no_token_with_one_character_less_is_accepted() -> None:
    """A missing character must void the token, wherever it is missing."""
    shorter = [GOOD[:place] + GOOD[place + 1 :] for place in range(len(GOOD))]

    assert {whose(token) for token in shorter} == {None}


@EXAMPLES
@given(token=st.text() | st.from_regex(r"[\w-]*(\.[\w-]*){0,4}=?", fullmatch=True))
def test_no_text_raises_anything_but_a_token_error(token: str) -> None:
    """What nobody signed must be refused, and never be a fault of ours."""
    assert whose(token) is None


@EXAMPLES
@given(payload=RAW | VALUES, header=RAW | HEADERS)
def test_nothing_that_is_signed_raises_anything_but_a_token_error(
    payload: Any, header: Any
) -> None:
    """Whatever is signed must be refused where it names no user, and never be a fault of ours."""
    assert whose(forge(payload, header)) is None or isinstance(payload, dict)


@EXAMPLES
@given(claims=OBJECTS, header=HEADERS, strict=st.booleans())
def test_only_what_the_claims_name_is_a_user(
    claims: dict[str, Any], header: dict[str, Any], *, strict: bool
) -> None:
    """A user must be named by one of the three claims, in a token that will expire."""
    issuer = "alice" if strict else ""
    claims = {"exp": 253402300799, **claims}
    verifier = TokenVerifier([SECRET], issuer=issuer, audience=issuer)
    nested = claims["user"].get("id") if isinstance(claims.get("user"), dict) else None
    values = (claims.get("sub"), claims.get("user_id"), nested)
    named = {str(value) for value in values if type(value) in (str, int)}

    assert whose(forge(claims, header), verifier) in {None, *named}
