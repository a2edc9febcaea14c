"""The doctor (issue "Real Better Auth"): what a token is, and why the API refuses it."""

from typing import Any

import pytest

from authn.management.commands.check_token import UNVERIFIED, VERIFIED
from authn.secrets import BETTER_AUTH_DEFAULT
from authn.tests import better_auth_tokens
from authn.tests.better_auth_tokens import JWE, SESSION_TOKEN, SIGNED_SESSION_TOKEN
from authn.tests.check_token_helpers import explain, fingerprint
from authn.tests.forge import HEADER, claims, forge
from authn.tests.jwks_server import ISSUER, KeyPair, key_pair
from conftest import SECRET, mint

UNKNOWN = "cannot be told from it"
AS_IT_SAYS = "'alice' (that is what it says; its signature was not verified)"
BOTH_RECIPES = "send a token that is made for the API: README, Wiring Better Auth, has both recipes"
FAR = {"exp": 253_402_300_799}


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (better_auth_tokens.hand_written(**FAR), "a token of a hand-written route"),
        (better_auth_tokens.plugin(**FAR), "a token of Better Auth's jwt plugin with jwt.sign"),
    ],
)
def test_a_good_token_is_accepted_and_described(
    monkeypatch: pytest.MonkeyPatch, token: str, kind: str
) -> None:
    """Kind, algorithm, expiry, user and verdict must be said, and no more than is needed."""
    said = explain(monkeypatch, token, accepted=True)
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


@pytest.mark.parametrize(
    "copied",
    [
        "Bearer {}",
        "\ufeff bearer  {} \r",
        '"{}"',
        "'Bearer {}'",
        "Authorization: Bearer {}",
        "authorization:{}",
        '  "Authorization": "Bearer {}",',
        "`{}`",
    ],
)
def test_a_token_is_understood_as_it_was_copied(
    monkeypatch: pytest.MonkeyPatch, copied: str
) -> None:
    """What stood around it must not be taken for a part of it."""
    said = explain(monkeypatch, copied.format(better_auth_tokens.hand_written()), accepted=True)

    assert said["The API"] == "accepts it on /api/alice/tasks"


# token, algorithm, user, reason, what to do
REFUSED: dict[str, tuple[str, str, str, str, str]] = {
    "link": (better_auth_tokens.link(), "HS256", "none", "no_user", BOTH_RECIPES),
    "expired link": (better_auth_tokens.link(exp=1), "HS256", "none", "expired", BOTH_RECIPES),
    **{
        alg: (
            KeyPair(alg, "key-1", key_pair(signs).private).sign(algorithm=signs),
            alg,
            AS_IT_SAYS,
            "wrong_algorithm",
            "On this side, set BETTER_AUTH_JWKS_URL, which accepts EdDSA, ES256 and RS256 too.",
        )
        for alg, signs in {
            "EdDSA": "EdDSA",
            "ES256": "ES256",
            "RS256": "RS256",
            "PS256": "RS256",
            "ES512": "ES256",
        }.items()
    },
    "none": (forge(claims(), {"alg": "none"}), "none", AS_IT_SAYS, "wrong_algorithm", "HS256"),
    "no algorithm": (forge(claims(), {"typ": "JWT"}), UNKNOWN, AS_IT_SAYS, "wrong_algorithm", ""),
    "session by key pair": (
        better_auth_tokens.session_by_key_pair(),
        "EdDSA",
        AS_IT_SAYS,
        "wrong_algorithm",
        BOTH_RECIPES,
    ),
    "compact": (
        better_auth_tokens.compact(),
        "HMAC-SHA256, but not as a JWT",
        AS_IT_SAYS,
        "malformed",
        BOTH_RECIPES,
    ),
    "jwe": (JWE, "A256CBC-HS512", UNKNOWN, "malformed", BOTH_RECIPES),
    "session token": (SIGNED_SESSION_TOKEN, UNKNOWN, UNKNOWN, "malformed", BOTH_RECIPES),
    "bare session token": (SESSION_TOKEN, UNKNOWN, UNKNOWN, "malformed", BOTH_RECIPES),
    "no token": ("undefined", UNKNOWN, UNKNOWN, "malformed", BOTH_RECIPES),
    "half a token": (mint().rpartition(".")[0], UNKNOWN, UNKNOWN, "malformed", BOTH_RECIPES),
    "crit": (
        forge(claims(), {**HEADER, "crit": ["x"]}),
        "HS256",
        AS_IT_SAYS,
        "critical_header",
        "Where it is signed, leave them out.",
    ),
    "another secret": (
        better_auth_tokens.by_another_secret(),
        "HS256",
        AS_IT_SAYS,
        "wrong_signature",
        'printf %s "$BETTER_AUTH_SECRET" | sha256sum | cut -c 1-8',
    ),
    "the default": (
        better_auth_tokens.by_the_default(),
        "HS256",
        AS_IT_SAYS,
        "wrong_signature",
        "On its side, set BETTER_AUTH_SECRET to the one of this side.",
    ),
    "the default, expired": (
        forge(claims(exp=1), secret=BETTER_AUTH_DEFAULT),
        "HS256",
        AS_IT_SAYS,
        "wrong_signature",
        "On its side, set BETTER_AUTH_SECRET to the one of this side.",
    ),
    "expired": (better_auth_tokens.expired(), "HS256", "'alice'", "expired", "fetch a new one"),
    "no expiry": (mint(exp=None), "HS256", "'alice'", "bad_expiry", "setExpirationTime('15m')"),
    "text as iat": (mint(iat="1"), "HS256", "'alice'", "bad_iat", "setIssuedAt()"),
    "text as nbf": (mint(nbf="1"), "HS256", "'alice'", "bad_nbf", "leave it out"),
    "from the future": (mint(iat=2**37), "HS256", "'alice'", "not_yet_valid", "Set the clocks"),
    "no user": (mint(None), "HS256", "none", "no_user", "set sub to the user's id"),
}


@pytest.mark.parametrize(
    ("token", "algorithm", "user", "reason", "mend"), REFUSED.values(), ids=REFUSED.keys()
)
def test_a_refused_token_is_described_with_the_reason_and_the_mend(
    monkeypatch: pytest.MonkeyPatch, token: str, algorithm: str, user: str, reason: str, mend: str
) -> None:
    """Each kind must be explained: what it is, whose, why it is refused, what to change where."""
    said = explain(monkeypatch, token, accepted=False)

    assert (said["Algorithm"], said["User"]) == (algorithm, user)
    assert said["The API"].startswith(f"refuses it ({reason}). ")
    assert mend.lower() in said["What to do"].lower()


@pytest.mark.parametrize(
    ("exp", "said"),
    [
        (None, "never said (it has no exp in whole seconds)"),
        ("1", "never said (it has no exp in whole seconds)"),
        (1.5, "never said (it has no exp in whole seconds)"),
        (True, "never said (it has no exp in whole seconds)"),
        (0, "1970-01-01 00:00:00 UTC (over)"),
        (-1, "1969-12-31 23:59:59 UTC (over)"),
        (253_402_300_800, "at no date"),
        (10**30, "at no date"),
    ],
)
def test_an_expiry_is_worded_whatever_it_is(
    monkeypatch: pytest.MonkeyPatch, exp: Any, said: str
) -> None:
    """When it expires must be said of refused tokens too, without a fault."""
    assert explain(monkeypatch, forge(claims(exp=exp)), accepted=False)["Expires"] == said


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({}, None),
        ({"sub": 7}, None),
        ({"user_id": "alice"}, None),
        ({"user_id": ""}, None),
        ({"sub": None, "user_id": "alice"}, None),
        ({"sub": None, "user": {"id": "alice"}, "id": "alice"}, None),
        ({"user_id": "bob"}, "'bob'"),
        ({"sub": None, "user": {"id": "alice"}, "id": "s1"}, "'s1'"),
        ({"sub": None, "user": {"id": "alice"}}, "sign a token that has one"),
        ({"sub": "None", "user_id": None, "id": None}, None),
        ({"sub": 0}, "sign a token that has one"),
        ({"sub": "a/b"}, "No path can name a user whose id has a slash."),
    ],
    ids=repr,
)
def test_it_says_where_the_front_end_could_not_use_an_accepted_token(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, Any], problem: str | None
) -> None:
    """The plan's page builds its path from ``user_id``, else ``sub``, else ``id`` (SC-005)."""
    said = explain(monkeypatch, forge({**claims(), **named}), accepted=True).get("Front end")

    if problem is None:
        assert said is None
    else:
        assert said is not None
        assert said.startswith("cannot use it. ")
        assert problem in said


def test_every_reason_of_a_refusal_is_explained() -> None:
    """The log's codes (README) and the doctor's must be the same."""
    codes = {"malformed", "wrong_algorithm", "wrong_signature", "critical_header", "wrong_type"}
    codes |= {"unknown_key", "jwks_unavailable", "bad_expiry", "bad_iat", "bad_nbf"}
    codes |= {"not_yet_valid", "wrong_issuer", "wrong_audience", "expired", "no_user"}

    assert UNVERIFIED.keys() | VERIFIED.keys() == codes
    assert not UNVERIFIED.keys() & VERIFIED.keys()
