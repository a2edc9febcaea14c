"""Which of Better Auth's tokens something is (issue "Real Better Auth", the doctor)."""

from typing import Any

import pytest

from authn.kinds import kind_of
from authn.tests import better_auth_tokens
from authn.tests.better_auth_tokens import JWE, LINK, SESSION_TOKEN, SIGNED_SESSION_TOKEN
from authn.tests.forge import claims, forge, segment, without
from authn.tests.jwks_server import KEY_PAIRS, key_pair
from conftest import mint

PLUGIN = "a token of Better Auth's jwt plugin with jwt.sign"
KEY_PAIR = "a token of Better Auth's jwt plugin as it comes, signed with a key pair"
HAND_WRITTEN = "a token of a hand-written route"
E_MAIL = "a link from an e-mail of Better Auth (verification, change of address)"
JWT_COOKIE = "Better Auth's session cookie as a JWT (cookieCache strategy jwt)"
JWKS_COOKIE = "Better Auth's session cookie, signed with a key pair (sessionCookieCache)"
COMPACT_COOKIE = "Better Auth's session cookie, compact (cookieCache strategy compact)"
JWE_COOKIE = "Better Auth's session cookie, encrypted (cookieCache strategy jwe)"
OPAQUE = "Better Auth's session token (cookie session_token, bearer plugin)"
BARE = "a session token of Better Auth without its signature, or a user's id"
STRANGE_JWT = "a JSON Web Token, but none of Better Auth's"
NONE = "none of Better Auth's tokens, or a part of one"


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (better_auth_tokens.hand_written(), HAND_WRITTEN),
        (better_auth_tokens.hand_written(exp=1), HAND_WRITTEN),
        (better_auth_tokens.by_another_secret(), HAND_WRITTEN),
        (forge({**without("sub"), "user_id": "alice"}), HAND_WRITTEN),
        (mint(None), HAND_WRITTEN),
        (better_auth_tokens.plugin(), PLUGIN),
        (better_auth_tokens.session_jwt(), JWT_COOKIE),
        (better_auth_tokens.link(), E_MAIL),
        (better_auth_tokens.link(updateTo="new@example.com"), E_MAIL),
        (better_auth_tokens.link(requestType="change-email-confirmation"), E_MAIL),
        (forge({**without("sub"), "email": "a@example.com", "updateTo": "b@example.com"}), E_MAIL),
        *[(key_pair(alg).sign(), KEY_PAIR) for alg in KEY_PAIRS],
        *[(forge(claims(), {"alg": alg}), KEY_PAIR) for alg in ("PS256", "ES512", "Ed25519")],
        (better_auth_tokens.session_by_key_pair(), JWKS_COOKIE),
        (better_auth_tokens.compact(), COMPACT_COOKIE),
        (JWE, JWE_COOKIE),
        (SIGNED_SESSION_TOKEN, OPAQUE),
        (SESSION_TOKEN, BARE),
    ],
)
def test_a_token_of_better_auths_is_told_from_the_others(token: str, name: str) -> None:
    """The operator must learn which of them was sent."""
    assert kind_of(token).name == name


@pytest.mark.parametrize(
    ("token", "name"),
    [
        *[(forge(claims(), {"alg": alg}), STRANGE_JWT) for alg in ("none", "HS512", "", None, [1])],
        (forge(claims(), {"typ": "JWT"}), STRANGE_JWT),
        ("", NONE),
        ("undefined", NONE),
        ("[object Object]", NONE),
        ("zo\u00eb.\u20ac", NONE),
        (".", NONE),
        (f"{SESSION_TOKEN}.", NONE),
        ("a.b.c", NONE),
        ("a.b.c.d", NONE),
        ("a.b.c.d.e", NONE),
        ("\ud800.x.y", NONE),
        (mint().rpartition(".")[0], NONE),
        (mint().partition(".")[0], NONE),
        (f"{segment([1])}.{segment({})}.x", NONE),
        (f"{segment('[' * 100_000)}.{segment({})}.x", NONE),
        (segment({"session": {}, "signature": ""}), NONE),
        (SESSION_TOKEN[:-1], NONE),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_none_of_them_is_called_none(token: str, name: str) -> None:
    """Whatever somebody took for a token must be named, and be no fault."""
    assert kind_of(token).name == name


@pytest.mark.parametrize(
    "token",
    [
        better_auth_tokens.hand_written(),
        better_auth_tokens.plugin(),
        better_auth_tokens.session_jwt(),
        key_pair().sign(),
    ],
)
def test_a_token_for_apis_is_marked_as_one(token: str) -> None:
    """Where such a token is refused, something else is wrong with it."""
    assert kind_of(token).is_for_apis


@pytest.mark.parametrize(
    "token",
    [
        better_auth_tokens.link(),
        better_auth_tokens.session_by_key_pair(),
        better_auth_tokens.compact(),
        JWE,
        SIGNED_SESSION_TOKEN,
        SESSION_TOKEN,
        "x",
    ],
)
def test_a_token_for_something_else_is_not(token: str) -> None:
    """Where such a token is refused, another must be sent."""
    assert not kind_of(token).is_for_apis


@pytest.mark.parametrize(
    ("token", "algorithm"),
    [
        (mint(), "HS256"),
        (key_pair("ES256").sign(), "ES256"),
        (forge(claims(), {"alg": "none"}), "none"),
        (forge(claims(), {"alg": 7}), "7"),
        (forge(claims(), {"typ": "JWT"}), ""),
        (JWE, "A256CBC-HS512"),
        (better_auth_tokens.compact(), "HMAC-SHA256, but not as a JWT"),
        (SIGNED_SESSION_TOKEN, ""),
    ],
)
def test_the_algorithm_is_the_one_that_the_token_names(token: str, algorithm: str) -> None:
    """The algorithm must be told wherever it can be."""
    assert kind_of(token).algorithm == algorithm


@pytest.mark.parametrize(
    ("token", "read"),
    [
        (better_auth_tokens.link(exp=7, iat=6), {**LINK, "exp": 7, "iat": 6}),
        (f"{segment({'alg': 'HS256'})}.bm90IEpTT04.x", {}),
        (
            better_auth_tokens.compact(),
            {"user": better_auth_tokens.SESSION["user"], "exp": 253_402_300_000},
        ),
        (better_auth_tokens.compact(session=None, expiresAt="1"), {"user": None, "exp": None}),
        (JWE, None),
        (SIGNED_SESSION_TOKEN, None),
        (SESSION_TOKEN, None),
        ("x", None),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_the_claims_are_read_where_they_can_be(token: str, read: dict[str, Any] | None) -> None:
    """Whose a token is and when it expires must be told of a cookie as well."""
    assert kind_of(token).claims == read
