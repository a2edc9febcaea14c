"""Type, parties and times of tokens signed with key pairs, and HS256 beside them."""

import subprocess
import sys
from typing import Any

import pytest

from authn.jwks import KeySet
from authn.tests.forge import claims, forge, reason
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, good
from authn.tokens import ExpiredTokenError, TokenVerifier
from conftest import SECRET, mint
from todo_project.environment import BASE_DIR


@pytest.mark.parametrize("extension", [{"crit": ["b64"], "b64": False}, {"crit": ["x"]}], ids=repr)
def test_a_critical_extension_is_refused(
    verifier: TokenVerifier, pair: KeyPair, extension: dict[str, Any]
) -> None:
    """What must be understood and is not must be refused (RFC 7515 §4.1.11)."""
    assert reason(pair.sign(header={**pair.header, **extension}), verifier) == "critical_header"


@pytest.mark.parametrize("payload", ["[]", "null", '{"sub":"alice","sub":"bob"}', b"\xff"])
def test_a_payload_that_is_no_plain_object_is_refused(
    verifier: TokenVerifier, pair: KeyPair, payload: str | bytes
) -> None:
    """A payload must be read as strictly as one signed with the secret."""
    assert reason(pair.sign(payload), verifier) == "malformed"


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"typ": None}], ids=repr)
def test_a_type_is_jwt_or_absent(
    verifier: TokenVerifier, pair: KeyPair, header: dict[str, Any]
) -> None:
    """Better Auth's plugin sets no ``typ``; Neon Auth's may."""
    assert verifier.claims(pair.sign(header={**pair.header, **header}))["sub"] == "alice"


@pytest.mark.parametrize(
    "typ", ["better-auth.session-cache+jwt", "at+jwt", "JWT ", "jwt", "", "JWS", 0, True, ["JWT"]]
)
def test_a_token_of_another_type_is_refused(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, typ: Any
) -> None:
    """The session cookie, signed with the same keys, must open nothing (RFC 8725 §3.11)."""
    assert reason(pair.sign(header={**pair.header, "typ": typ}), verifier) == "wrong_type"
    assert issuer.fetches == 0


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
@pytest.mark.parametrize("sent", [ISSUER, f"{ISSUER}/"])
def test_the_parties_match_with_and_without_a_slash(
    issuer: Issuer, pair: KeyPair, configured: str, sent: str
) -> None:
    """A base URL and the same with a slash must be one party."""
    verifier = TokenVerifier([SECRET], keys=KeySet(issuer.url, configured, configured))

    assert verifier.claims(pair.sign(good(iss=sent, aud=[sent])))["iss"] == sent


@pytest.mark.parametrize(("name", "refusal"), [("iss", "wrong_issuer"), ("aud", "wrong_audience")])
@pytest.mark.parametrize("value", [None, "", "/", "https://elsewhere.example", 1, []], ids=repr)
def test_a_token_from_or_for_somebody_else_is_refused(
    verifier: TokenVerifier, pair: KeyPair, name: str, refusal: str, value: Any
) -> None:
    """A key pair's token must name its issuer and its audience."""
    without = {key: claim for key, claim in good().items() if key != name}

    assert reason(pair.sign(good(**{name: value})), verifier) == refusal
    assert reason(pair.sign(without), verifier) == refusal


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [({"exp": None}, "bad_expiry"), ({"nbf": 2**40}, "not_yet_valid"), ({"iat": "1"}, "bad_iat")],
)
def test_the_times_of_a_key_pairs_token_count(
    verifier: TokenVerifier, pair: KeyPair, changed: dict[str, Any], refusal: str
) -> None:
    """A signature of another kind must not make the times lenient."""
    assert reason(pair.sign(good(**changed)), verifier) == refusal


def test_an_expired_token_of_a_key_pairs_is_expired(verifier: TokenVerifier, pair: KeyPair) -> None:
    """``exp`` must be exact here too."""
    with pytest.raises(ExpiredTokenError):
        verifier.claims(pair.sign(good(exp=1)))


def test_a_token_signed_with_the_secret_is_accepted_beside_them(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    """HS256 must work as before: no issuer asked for, no key fetched, any ``kid`` and ``typ``."""
    token = forge(claims(), {"alg": "HS256", "kid": "key-1", "typ": "x"})

    assert verifier.claims(token)["sub"] == "alice"
    assert issuer.fetches == 0


def test_a_configured_issuer_binds_the_tokens_of_the_secret_too(issuer: Issuer) -> None:
    """``BETTER_AUTH_ISSUER``, where set, must be in every token (contract.md "Who may come in")."""
    keys = KeySet(issuer.url, ISSUER, ISSUER)
    verifier = TokenVerifier([SECRET], issuer=ISSUER, audience=ISSUER, keys=keys)

    assert verifier.claims(mint(iss=ISSUER, aud=ISSUER))["sub"] == "alice"
    assert reason(mint(aud=ISSUER), verifier) == "wrong_issuer"
    assert reason(mint(iss=ISSUER), verifier) == "wrong_audience"


@pytest.mark.parametrize(
    ("url", "is_loaded"), [("", False), (f"{ISSUER}/api/auth/jwks", True)], ids=["unset", "set"]
)
def test_without_the_setting_no_line_of_it_runs(
    monkeypatch: pytest.MonkeyPatch, url: str, is_loaded: bool
) -> None:
    """Who does not ask for public keys must not even load what reads them."""
    monkeypatch.setenv("BETTER_AUTH_JWKS_URL", url)
    program = (
        "import sys, django; django.setup()\n"
        "from authn.authentication import configured_verifier\n"
        "from conftest import mint\n"
        "print(configured_verifier().claims(mint())['sub'], 'authn.jwks' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", program], cwd=BASE_DIR, capture_output=True)

    assert (ran.stdout.decode(), ran.stderr) == (f"alice {is_loaded}\n", b"")
