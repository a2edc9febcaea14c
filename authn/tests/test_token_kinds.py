"""Recognition of the kinds of token that Better Auth issues."""

from authn.tests.better_auth_tokens import (
    EXPIRES_AT,
    JWE,
    LINK,
    SESSION,
    SESSION_TOKEN,
    SIGNED_SESSION_TOKEN,
    compact,
    email_link,
    hand_written,
    key_pair_session_jwt,
    plugin,
    session_jwt,
    signed_with_other_secret,
)
from authn.tests.forge import claims, claims_without, forge, segment
from authn.tests.jwks_server import KEY_PAIRS, key_pair
from authn.token_kinds import kind_of
from conftest import mint

OTHER = "not a Better Auth token, or only a part of one"
# Maps the name of a kind to (whether it is for APIs, tokens of that kind)
KINDS: dict[str, tuple[bool, list[str]]] = {
    "a token from Better Auth's jwt plugin with jwt.sign": (True, [plugin()]),
    "a token from Better Auth's jwt plugin without jwt.sign, signed with a private key": (
        True,
        [
            *(key_pair(alg).sign() for alg in KEY_PAIRS),
            *(forge(claims(), {"alg": alg}) for alg in ("PS256", "ES512", "Ed25519")),
        ],
    ),
    "a token from a hand-written route": (
        True,
        [
            *(hand_written(), hand_written(exp=1), signed_with_other_secret(), mint(None)),
            forge({**claims_without("sub"), "user_id": "alice"}),
        ],
    ),
    "Better Auth's session cookie as a JWT (cookieCache strategy jwt)": (True, [session_jwt()]),
    "a JSON Web Token, but not Better Auth's": (
        True,
        [
            *(forge(claims(), {"alg": alg}) for alg in ("none", "HS512", "", None, [1])),
            forge(claims(), {"typ": "JWT"}),
        ],
    ),
    "the token of a Better Auth e-mail link (verification, change of address)": (
        False,
        [
            *(email_link(), email_link(updateTo="new@example.com")),
            email_link(requestType="change-email-confirmation"),
            forge({**claims_without("sub"), "email": "a@example.com", "updateTo": "b@example.com"}),
        ],
    ),
    "Better Auth's session cookie, signed with a private key (sessionCookieCache)": (
        False,
        [key_pair_session_jwt()],
    ),
    "Better Auth's compact session cookie (cookieCache strategy compact)": (False, [compact()]),
    "Better Auth's encrypted session cookie (cookieCache strategy jwe)": (False, [JWE]),
    "Better Auth's session token (cookie session_token, bearer plugin)": (
        False,
        [SIGNED_SESSION_TOKEN],
    ),
    "a Better Auth session token without its signature, or a user's id": (
        False,
        [SESSION_TOKEN],
    ),
    OTHER: (
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


def test_each_kind_is_recognised() -> None:
    """Any string must be assigned a kind, which must say whether it is meant for APIs."""
    recognised = {
        name: {(kind.name, kind.is_for_apis) for kind in map(kind_of, tokens)}
        for name, (_, tokens) in KINDS.items()
    }

    assert recognised == {name: {(name, is_for_apis)} for name, (is_for_apis, _) in KINDS.items()}


def test_the_algorithm_is_the_one_that_the_token_claims() -> None:
    """The algorithm must be read from every kind of token that states one."""
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


def test_readable_claims_are_returned() -> None:
    """Claims must be returned if they can be read, including those of a compact cookie."""
    expected = {
        email_link(exp=7, iat=6): {**LINK, "exp": 7, "iat": 6},
        f"{segment({'alg': 'HS256'})}.bm90IEpTT04.x": {},
        compact(): {"user": SESSION["user"], "exp": EXPIRES_AT // 1000},
        compact(session=None, expiresAt="1"): {"user": None, "exp": None},
        **dict.fromkeys([JWE, SIGNED_SESSION_TOKEN, SESSION_TOKEN, "x"]),
    }

    assert {token: kind_of(token).claims for token in expected} == expected


def test_only_session_tokens_are_taken_for_one() -> None:
    """``check_token`` must not advise to accept sessions for another token."""
    tokens = [token for _, tokens in KINDS.values() for token in tokens]

    sessions = [token for token in tokens if kind_of(token).is_session]

    assert sessions == [SIGNED_SESSION_TOKEN, SESSION_TOKEN]
