"""``manage.py check_token``: what a token is, and why the API refuses it."""

from typing import Any

import pytest

from authn.management.commands.check_token import UNVERIFIED, VERIFIED
from authn.secrets import BETTER_AUTH_DEFAULT
from authn.tests.better_auth_tokens import (
    JWE,
    SESSION_TOKEN,
    SIGNED_SESSION_TOKEN,
    by_another_secret,
    by_the_default,
    compact,
    expired,
    hand_written,
    link,
    plugin,
    session_by_key_pair,
)
from authn.tests.check_token_helpers import explain, fingerprint
from authn.tests.forge import HEADER, claims, forge
from authn.tests.jwks_server import ISSUER, KeyPair, key_pair
from conftest import SECRET, mint

UNKNOWN = "cannot be told from it"
AS_IT_SAYS = "'alice' (that is what it says; its signature was not verified)"
BOTH_RECIPES = "send a token that is made for the API: README, Wiring Better Auth, has both recipes"
OTHER_ALGORITHMS = (
    "On this side, set BETTER_AUTH_JWKS_URL, which accepts EdDSA, ES256 and RS256 too."
)
COMPARE = 'printf %s "$BETTER_AUTH_SECRET" | sha256sum | cut -c 1-8'
SHARE = "On its side, set BETTER_AUTH_SECRET to the one of this side."
NOT_AS_JWT = "HMAC-SHA256, but not as a JWT"
NEVER = "never said (it has no exp in whole seconds)"
FAR = {"exp": 253_402_300_799}
NO_JWTS = [SIGNED_SESSION_TOKEN, SESSION_TOKEN, "undefined", mint().rpartition(".")[0]]
SIGNED_BY = {
    "EdDSA": "EdDSA",
    "ES256": "ES256",
    "ES512": "ES256",
    "RS256": "RS256",
    "PS256": "RS256",
}


def by_key_pair(alg: str, signs: str) -> str:
    """Sign with a key pair, under the name of any algorithm."""
    return KeyPair(alg, "key-1", key_pair(signs).private).sign(algorithm=signs)


# token: (algorithm, user, reason, what to do)
REFUSED: dict[str, tuple[str, str, str, str]] = {
    link(): ("HS256", "none", "no_user", BOTH_RECIPES),
    link(exp=1): ("HS256", "none", "expired", BOTH_RECIPES),
    **{
        by_key_pair(alg, signs): (alg, AS_IT_SAYS, "wrong_algorithm", OTHER_ALGORITHMS)
        for alg, signs in SIGNED_BY.items()
    },
    forge(claims(), {"alg": "none"}): ("none", AS_IT_SAYS, "wrong_algorithm", "HS256"),
    forge(claims(), {"typ": "JWT"}): (UNKNOWN, AS_IT_SAYS, "wrong_algorithm", ""),
    session_by_key_pair(): ("EdDSA", AS_IT_SAYS, "wrong_algorithm", BOTH_RECIPES),
    compact(): (NOT_AS_JWT, AS_IT_SAYS, "malformed", BOTH_RECIPES),
    JWE: ("A256CBC-HS512", UNKNOWN, "malformed", BOTH_RECIPES),
    **dict.fromkeys(NO_JWTS, (UNKNOWN, UNKNOWN, "malformed", BOTH_RECIPES)),
    forge(claims(), {**HEADER, "crit": ["x"]}): (
        *("HS256", AS_IT_SAYS, "critical_header"),
        "Where it is signed, leave them out.",
    ),
    by_another_secret(): ("HS256", AS_IT_SAYS, "wrong_signature", COMPARE),
    by_the_default(): ("HS256", AS_IT_SAYS, "wrong_signature", SHARE),
    mint(secret=BETTER_AUTH_DEFAULT, exp=1): ("HS256", AS_IT_SAYS, "wrong_signature", SHARE),
    expired(): ("HS256", "'alice'", "expired", "fetch a new one"),
    mint(exp=None): ("HS256", "'alice'", "bad_expiry", "setExpirationTime('15m')"),
    mint(iat="1"): ("HS256", "'alice'", "bad_iat", "setIssuedAt()"),
    mint(nbf="1"): ("HS256", "'alice'", "bad_nbf", "leave it out"),
    mint(iat=2**37): ("HS256", "'alice'", "not_yet_valid", "Set the clocks"),
    mint(None): ("HS256", "none", "no_user", "set sub to the user's id"),
}

# claims of an accepted token, and why the front end could not use it
FRONT_END: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"sub": 7}, ""),
    ({"user_id": "alice"}, ""),
    ({"user_id": ""}, ""),
    ({"sub": None, "user_id": "alice"}, ""),
    ({"sub": None, "user": {"id": "alice"}, "id": "alice"}, ""),
    ({"sub": "None", "user_id": None, "id": None}, ""),
    ({"user_id": "bob"}, "'bob'"),
    ({"sub": None, "user": {"id": "alice"}, "id": "s1"}, "'s1'"),
    ({"sub": None, "user": {"id": "alice"}}, "sign a token that has one"),
    ({"sub": 0}, "sign a token that has one"),
    ({"sub": "a/b"}, "No path can name a user whose id has a slash."),
]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (hand_written(**FAR), "a token of a hand-written route"),
        (plugin(**FAR), "a token of Better Auth's jwt plugin with jwt.sign"),
    ],
    ids=["hand-written", "plugin"],
)
def test_a_good_token_is_accepted_and_described(
    monkeypatch: pytest.MonkeyPatch, token: str, kind: str
) -> None:
    """Kind, algorithm, expiry, user and verdict must be said, and no more than is needed."""
    said = explain(monkeypatch, token)
    parties = [said.pop("Issuer", ""), said.pop("Audience", "")]

    assert said == {
        "It is": kind,
        "Algorithm": "HS256",
        "Expires": "9999-12-31 23:59:59 UTC (to come)",
        "User": "'alice'",
        "Secret": f"this side has one with the fingerprint {fingerprint(SECRET)}",
        "The API": "accepts it on /api/alice/tasks",
    }
    assert parties == (["", ""] if "hand" in kind else [f"'{ISSUER}'"] * 2)


def test_a_token_is_understood_as_it_was_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood around it must not be taken for a part of it."""
    copied = [
        *["Bearer {}", "\ufeff bearer  {} \r", '"{}"', "'Bearer {}'", "`{}`"],
        *["Authorization: Bearer {}", "authorization:{}", '  "Authorization": "Bearer {}",'],
    ]

    said = {text: explain(monkeypatch, text.format(hand_written()))["The API"] for text in copied}

    assert said == dict.fromkeys(copied, "accepts it on /api/alice/tasks")


def test_a_refused_token_is_described_with_the_reason_and_the_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each kind must be explained: what it is, whose, why it is refused, what to change where."""
    said = {token: explain(monkeypatch, token) for token in REFUSED}
    described = {
        token: (each["Algorithm"], each["User"], each["The API"].partition(". ")[0])
        for token, each in said.items()
    }

    assert described == {
        token: (algorithm, user, f"refuses it ({reason})")
        for token, (algorithm, user, reason, _) in REFUSED.items()
    }
    assert [
        (mend, each["What to do"])
        for (*_, mend), each in zip(REFUSED.values(), said.values(), strict=True)
        if mend.lower() not in each["What to do"].lower()
    ] == []


def test_an_expiry_is_worded_whatever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it expires must be said of refused tokens too, without a fault."""
    wording = {
        **dict.fromkeys(["null", '"1"', "1.5", "true"], NEVER),
        "0": "1970-01-01 00:00:00 UTC (over)",
        "-1": "1969-12-31 23:59:59 UTC (over)",
        **dict.fromkeys(["253402300800", f"1{'0' * 30}"], "at no date"),
    }

    tokens = {exp: forge(f'{{"sub": "alice", "exp": {exp}}}') for exp in wording}
    said = {exp: explain(monkeypatch, token) for exp, token in tokens.items()}

    assert {exp: each["Expires"] for exp, each in said.items()} == wording
    assert {each["The API"][:12] for each in said.values()} == {"refuses it ("}


def test_it_says_where_the_front_end_could_not_use_an_accepted_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan's page builds its path from ``user_id``, else ``sub``, else ``id`` (SC-005)."""
    explained = [explain(monkeypatch, forge({**claims(), **named})) for named, _ in FRONT_END]
    said = [
        (named, problem, each.get("Front end", ""))
        for (named, problem), each in zip(FRONT_END, explained, strict=True)
    ]

    assert {each["The API"][:14] for each in explained} == {"accepts it on "}
    assert [row for row in said if row[1] not in row[2] or bool(row[1]) != bool(row[2])] == []
    assert {text[:15] for *_, text in said if text} == {"cannot use it. "}


def test_every_reason_of_a_refusal_is_explained() -> None:
    """The log's codes (README) and the command's must be the same."""
    codes = {"malformed", "wrong_algorithm", "wrong_signature", "critical_header", "wrong_type"}
    codes |= {"unknown_key", "jwks_unavailable", "bad_expiry", "bad_iat", "bad_nbf"}
    codes |= {"not_yet_valid", "wrong_issuer", "wrong_audience", "expired", "no_user"}

    assert UNVERIFIED.keys() | VERIFIED.keys() == codes
    assert not UNVERIFIED.keys() & VERIFIED.keys()
