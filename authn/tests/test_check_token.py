"""Tests of ``manage.py check_token``: the kinds of token and the reasons for refusals."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from authn.secrets import BETTER_AUTH_DEFAULT, READ_DIFFERENTLY
from authn.tests.better_auth_tokens import (
    JWE,
    SESSION_TOKEN,
    SIGNED_SESSION_TOKEN,
    compact,
    email_link,
    expired,
    hand_written,
    key_pair_session_jwt,
    plugin,
    signed_with_default_secret,
    signed_with_other_secret,
)
from authn.tests.check_token_runner import explain, fingerprint
from authn.tests.forge import HEADER, claims, forge
from authn.tests.jwks_server import ISSUER, KeyPair, key_pair
from authn.token_refusals import UNVERIFIED, VERIFIED
from conftest import SECRET, mint

UNKNOWN = "unknown"
CLAIMS_ALICE = "'alice' (unverified)"
USE_A_RECIPE = "send a token made for the API"
OTHER_ALGORITHMS = "set BETTER_AUTH_JWKS_URL to accept EdDSA, ES256 and RS256 as well"
COMPARE = 'printf %s "$BETTER_AUTH_SECRET" | sha256sum | cut -c 1-8'
SHARE = "On the front end, set BETTER_AUTH_SECRET to this side's value."
NOT_AS_JWT = "HMAC-SHA256, but not as a JWT"
NO_EXPIRY = "unknown (exp is not a number)"
FAR_EXPIRY = {"exp": 253_402_300_799}
NOT_JWTS = ["undefined", mint().rpartition(".")[0]]
SESSION_TOKENS = [SIGNED_SESSION_TOKEN, SESSION_TOKEN]
SIGNED_BY = {
    "EdDSA": "EdDSA",
    "ES256": "ES256",
    "ES512": "ES256",
    "RS256": "RS256",
    "PS256": "RS256",
}


def signed_with_private_key(alg: str, signer: str) -> str:
    """Sign a token with the ``signer`` algorithm, and claim ``alg`` in its header."""
    return KeyPair(alg, "key-1", key_pair(signer).private).sign(algorithm=signer)


# Maps a token to its algorithm, user, reason and part of the advice.
REFUSED: dict[str, tuple[str, str, str, str]] = {
    email_link(): ("HS256", "none", "no_user", USE_A_RECIPE),
    email_link(exp=1): ("HS256", "none", "expired", USE_A_RECIPE),
    **{
        signed_with_private_key(alg, signer): (
            *(alg, CLAIMS_ALICE, "wrong_algorithm"),
            OTHER_ALGORITHMS,
        )
        for alg, signer in SIGNED_BY.items()
    },
    forge(claims(), {"alg": "none"}): ("none", CLAIMS_ALICE, "wrong_algorithm", "HS256"),
    forge(claims(), {"typ": "JWT"}): (UNKNOWN, CLAIMS_ALICE, "wrong_algorithm", ""),
    key_pair_session_jwt(): ("EdDSA", CLAIMS_ALICE, "wrong_algorithm", USE_A_RECIPE),
    compact(): (NOT_AS_JWT, CLAIMS_ALICE, "malformed", USE_A_RECIPE),
    JWE: ("A256CBC-HS512", UNKNOWN, "malformed", USE_A_RECIPE),
    **dict.fromkeys(NOT_JWTS, (UNKNOWN, UNKNOWN, "malformed", USE_A_RECIPE)),
    **dict.fromkeys(SESSION_TOKENS, (UNKNOWN, UNKNOWN, "malformed", "BETTER_AUTH_SESSIONS=true")),
    forge(claims(), {**HEADER, "crit": ["x"]}): (
        *("HS256", CLAIMS_ALICE, "critical_header"),
        "Remove them where the token is signed.",
    ),
    signed_with_other_secret(): ("HS256", CLAIMS_ALICE, "wrong_signature", COMPARE),
    signed_with_default_secret(): ("HS256", CLAIMS_ALICE, "wrong_signature", SHARE),
    mint(secret=BETTER_AUTH_DEFAULT, exp=1): ("HS256", CLAIMS_ALICE, "wrong_signature", SHARE),
    expired(): ("HS256", "'alice'", "expired", "fetch a new token"),
    mint(exp=None): ("HS256", "'alice'", "bad_expiry", "setExpirationTime('15m')"),
    mint(iat="1"): ("HS256", "'alice'", "bad_iat", "setIssuedAt()"),
    mint(nbf="1"): ("HS256", "'alice'", "bad_nbf", "Remove it"),
    mint(iat=2**37): ("HS256", "'alice'", "not_yet_valid", "Synchronise the clocks"),
    mint(None): ("HS256", "none", "no_user", "set sub to the user's id"),
}

# Claims of an accepted token, and part of the reason the front end cannot use it
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
    ({"sub": None, "user": {"id": "alice"}}, "finds no user id"),
    ({"sub": 0}, "finds no user id"),
    ({"sub": "a/b"}, "No path can contain a user id with a slash."),
]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (hand_written(**FAR_EXPIRY), "a token from a hand-written route"),
        (plugin(**FAR_EXPIRY), "a token from Better Auth's jwt plugin with jwt.sign"),
    ],
    ids=["hand-written", "plugin"],
)
def test_an_accepted_token_is_described(
    monkeypatch: pytest.MonkeyPatch, token: str, kind: str
) -> None:
    """The output must have exactly these lines, plus issuer and audience if the token has them."""
    lines = explain(monkeypatch, token)
    issuer_and_audience = [lines.pop("Issuer", ""), lines.pop("Audience", "")]

    assert lines == {
        "Kind": kind,
        "Algorithm": "HS256",
        "Expires": "9999-12-31 23:59:59 UTC (in the future)",
        "User": "'alice'",
        "Secret": f"this side accepts the fingerprint {fingerprint(SECRET)}",
        "The API": "accepts it on /api/alice/tasks",
    }
    assert issuer_and_audience == (["", ""] if "hand" in kind else [f"'{ISSUER}'"] * 2)


def test_text_copied_along_with_a_token_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, a header name and a scheme around a token must be stripped, and JSON be parsed."""
    copied = [
        *['{{"token":"{}"}}', ' {{\n"user": {{}}, "token": "{}"}}\n', '{{"token": "Bearer {}"}}'],
        *["Bearer {}", "\ufeff bearer  {} \r", '"{}"', "'Bearer {}'", "`{}`"],
        *["Authorization: Bearer {}", "authorization:{}", '  "Authorization": "Bearer {}",'],
    ]

    results = {
        text: explain(monkeypatch, text.format(hand_written()))["The API"] for text in copied
    }

    assert results == dict.fromkeys(copied, "accepts it on /api/alice/tasks")


def test_a_refused_token_is_described_with_the_reason_and_a_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The output must state the algorithm, user, reason and advice for each kind of token."""
    explained = {token: explain(monkeypatch, token) for token in REFUSED}
    descriptions = {
        token: (each["Algorithm"], each["User"], each["The API"].partition(". ")[0])
        for token, each in explained.items()
    }

    assert descriptions == {
        token: (algorithm, user, f"refuses it ({reason})")
        for token, (algorithm, user, reason, _) in REFUSED.items()
    }
    assert [
        (advice, each["What to do"])
        for (*_, advice), each in zip(REFUSED.values(), explained.values(), strict=True)
        if advice.lower() not in each["What to do"].lower()
    ] == []


def test_a_wrong_signature_is_explained_by_a_secret_that_is_read_differently(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The output must say so for tokens that a secret has signed, and for no other."""
    tokens = [
        *(signed_with_other_secret(), signed_with_default_secret(), expired()),
        forge(claims(), {"alg": "ES256", "typ": "JWT"}),
    ]
    before = [explain(monkeypatch, token)["The API"] for token in tokens]
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": (SECRET, f"{SECRET}$1")}

    after = [explain(monkeypatch, token)["The API"] for token in tokens]

    assert after == [f"{before[0]} {READ_DIFFERENTLY}", *before[1:]]


def test_any_expiry_is_formatted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The expiry must be shown for refused tokens too, and no value may raise an error."""
    formatted = {
        **dict.fromkeys(["null", '"1"', "true"], NO_EXPIRY),
        "0": "1970-01-01 00:00:00 UTC (in the past)",
        "1.5": "1970-01-01 00:00:01 UTC (in the past)",
        "-1": "1969-12-31 23:59:59 UTC (in the past)",
        **dict.fromkeys(["253402300800", f"1{'0' * 30}", "1e999"], "unknown (exp is out of range)"),
    }

    tokens = {exp: forge(f'{{"sub": "alice", "exp": {exp}}}') for exp in formatted}
    explained = {exp: explain(monkeypatch, token) for exp, token in tokens.items()}

    assert {exp: each["Expires"] for exp, each in explained.items()} == formatted
    assert {each["The API"][:12] for each in explained.values()} == {"refuses it ("}


def test_an_accepted_token_that_the_front_end_cannot_use_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The output must say why the front end cannot build its paths from the token (SC-005)."""
    explained = [explain(monkeypatch, forge({**claims(), **changed})) for changed, _ in FRONT_END]
    rows = [
        (changed, problem, each.get("Front end", ""))
        for (changed, problem), each in zip(FRONT_END, explained, strict=True)
    ]

    assert {each["The API"][:14] for each in explained} == {"accepts it on "}
    assert [row for row in rows if row[1] not in row[2] or bool(row[1]) != bool(row[2])] == []
    assert {text[:15] for *_, text in rows if text} == {"cannot use it. "}


def test_every_reason_for_a_refusal_is_explained() -> None:
    """Each reason for refusing a token must have exactly one explanation."""
    codes = {"malformed", "wrong_algorithm", "wrong_signature", "critical_header", "wrong_type"}
    codes |= {"unknown_key", "jwks_unavailable", "unknown_session", "no_session_table"}
    codes |= {"bad_expiry", "bad_iat", "bad_nbf"}
    codes |= {"not_yet_valid", "wrong_issuer", "wrong_audience", "expired", "no_user"}

    assert UNVERIFIED.keys() | VERIFIED.keys() == codes
    assert not UNVERIFIED.keys() & VERIFIED.keys()
