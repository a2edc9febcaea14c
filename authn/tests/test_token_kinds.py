"""Which of Better Auth's tokens something is, for ``check_token``."""

from authn.tests.better_auth_tokens import (
    EXPIRES_AT,
    JWE,
    LINK,
    SESSION,
    SESSION_TOKEN,
    SIGNED_SESSION_TOKEN,
    by_another_secret,
    compact,
    hand_written,
    link,
    plugin,
    session_by_key_pair,
    session_jwt,
)
from authn.tests.forge import claims, forge, segment, without
from authn.tests.jwks_server import KEY_PAIRS, key_pair
from authn.token_kinds import kind_of
from conftest import mint

NONE = "none of Better Auth's tokens, or a part of one"
# what a token is: (whether it is made for APIs, tokens that are it)
KINDS: dict[str, tuple[bool, list[str]]] = {
    "a token of Better Auth's jwt plugin with jwt.sign": (True, [plugin()]),
    "a token of Better Auth's jwt plugin as it comes, signed with a key pair": (
        True,
        [
            *(key_pair(alg).sign() for alg in KEY_PAIRS),
            *(forge(claims(), {"alg": alg}) for alg in ("PS256", "ES512", "Ed25519")),
        ],
    ),
    "a token of a hand-written route": (
        True,
        [
            *(hand_written(), hand_written(exp=1), by_another_secret(), mint(None)),
            forge({**without("sub"), "user_id": "alice"}),
        ],
    ),
    "Better Auth's session cookie as a JWT (cookieCache strategy jwt)": (True, [session_jwt()]),
    "a JSON Web Token, but none of Better Auth's": (
        True,
        [
            *(forge(claims(), {"alg": alg}) for alg in ("none", "HS512", "", None, [1])),
            forge(claims(), {"typ": "JWT"}),
        ],
    ),
    "a link from an e-mail of Better Auth (verification, change of address)": (
        False,
        [
            *(link(), link(updateTo="new@example.com")),
            link(requestType="change-email-confirmation"),
            forge({**without("sub"), "email": "a@example.com", "updateTo": "b@example.com"}),
        ],
    ),
    "Better Auth's session cookie, signed with a key pair (sessionCookieCache)": (
        False,
        [session_by_key_pair()],
    ),
    "Better Auth's session cookie, compact (cookieCache strategy compact)": (False, [compact()]),
    "Better Auth's session cookie, encrypted (cookieCache strategy jwe)": (False, [JWE]),
    "Better Auth's session token (cookie session_token, bearer plugin)": (
        False,
        [SIGNED_SESSION_TOKEN],
    ),
    "a session token of Better Auth without its signature, or a user's id": (
        False,
        [SESSION_TOKEN],
    ),
    NONE: (
        False,
        [
            *("", "undefined", "[object Object]", "zo\u00eb.\u20ac", ".", f"{SESSION_TOKEN}."),
            *("a.b.c", "a.b.c.d", "a.b.c.d.e", "\ud800.x.y", SESSION_TOKEN[:-1]),
            *(mint().rpartition(".")[0], mint().partition(".")[0]),
            f"{segment([1])}.{segment({})}.x",
            f"{segment('[' * 100_000)}.{segment({})}.x",
            segment({"session": {}, "signature": ""}),
        ],
    ),
}


def test_every_kind_is_told_from_the_others() -> None:
    """Whatever somebody took for a token must be named, and known to be for APIs or not."""
    found = {
        name: {(kind.name, kind.is_for_apis) for kind in map(kind_of, tokens)}
        for name, (_, tokens) in KINDS.items()
    }

    assert found == {name: {(name, is_for_apis)} for name, (is_for_apis, _) in KINDS.items()}


def test_the_algorithm_is_the_one_that_the_token_names() -> None:
    """The algorithm must be told wherever it can be."""
    algorithms = {
        mint(): "HS256",
        key_pair("ES256").sign(): "ES256",
        forge(claims(), {"alg": "none"}): "none",
        forge(claims(), {"alg": 7}): "7",
        forge(claims(), {"typ": "JWT"}): "",
        JWE: "A256CBC-HS512",
        compact(): "HMAC-SHA256, but not as a JWT",
        SIGNED_SESSION_TOKEN: "",
    }

    assert {token: kind_of(token).algorithm for token in algorithms} == algorithms


def test_the_claims_are_read_where_they_can_be() -> None:
    """Whose a token is and when it expires must be told of a cookie as well."""
    read = {
        link(exp=7, iat=6): {**LINK, "exp": 7, "iat": 6},
        f"{segment({'alg': 'HS256'})}.bm90IEpTT04.x": {},
        compact(): {"user": SESSION["user"], "exp": EXPIRES_AT // 1000},
        compact(session=None, expiresAt="1"): {"user": None, "exp": None},
        **dict.fromkeys([JWE, SIGNED_SESSION_TOKEN, SESSION_TOKEN, "x"]),
    }

    assert {token: kind_of(token).claims for token in read} == read
