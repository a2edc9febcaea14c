"""Headers and claims of tokens signed with private keys, and HS256 alongside them."""

import subprocess
import sys
from typing import Any

import pytest

from authn.jwks import KeySet
from authn.tests.forge import claims, forge, mismatches, verdict
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, issuer_claims
from authn.tokens import TokenVerifier
from conftest import SECRET, mint
from todo_project.configuration.environment import BASE_DIR

# Maps a verdict to the header changes that cause it
HEADERS: dict[str, list[dict[str, Any]]] = {
    # Better Auth's plugin sets no `typ`; Neon Auth may
    "alice": [{}, {"typ": "JWT"}, {"typ": None}],
    # includes the session cookie, which is signed with the same keys (RFC 8725 §3.11)
    "wrong_type": [
        *({"typ": typ} for typ in ("better-auth.session-cache+jwt", "at+jwt", "JWT ", "jwt")),
        *({"typ": typ} for typ in ("", "JWS", 0, True, ["JWT"])),
    ],
    "critical_header": [{"crit": ["b64"], "b64": False}, {"crit": ["x"]}],
}
OTHERS: list[Any] = [None, "", "/", "https://elsewhere.example", 1, []]
# Maps a verdict to the payloads that cause it
PAYLOADS: dict[str, list[Any]] = {
    "malformed": ["[]", "null", '{"sub":"alice","sub":"bob"}', b"\xff"],
    "wrong_issuer": [*(issuer_claims(iss=iss) for iss in OTHERS), claims(aud=ISSUER)],
    "wrong_audience": [*(issuer_claims(aud=aud) for aud in OTHERS), claims(iss=ISSUER)],
    "bad_expiry": [issuer_claims(exp=None)],
    "bad_iat": [issuer_claims(iat="1")],
    "not_yet_valid": [issuer_claims(nbf=2**40)],
    "expired": [issuer_claims(exp=1)],
}


@pytest.mark.parametrize("expected", HEADERS)
def test_the_header_of_a_token_signed_with_a_private_key_is_validated(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, expected: str
) -> None:
    """``typ`` must be JWT or absent, and ``crit`` must be refused (RFC 7515 §4.1.11)."""

    def signed(changed: dict[str, Any]) -> str:
        return pair.sign(header={**pair.header, **changed})

    assert mismatches(expected, HEADERS[expected], signed, verifier) == {}
    assert issuer.fetches == (expected == "alice")  # a refused header must cause no fetch


@pytest.mark.parametrize("expected", PAYLOADS)
def test_the_payload_of_a_token_signed_with_a_private_key_is_validated(
    verifier: TokenVerifier, pair: KeyPair, expected: str
) -> None:
    """The payload must be parsed strictly, and its issuer and audience must match."""
    assert mismatches(expected, PAYLOADS[expected], pair.sign, verifier) == {}


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
def test_issuer_and_audience_match_with_and_without_a_trailing_slash(
    issuer: Issuer, pair: KeyPair, configured: str
) -> None:
    """A trailing slash must make no difference, in the claim or in the setting."""
    verifier = TokenVerifier([SECRET], keys=KeySet(issuer.url, configured, configured))
    payloads = [issuer_claims(iss=url, aud=[url]) for url in (ISSUER, f"{ISSUER}/")]

    assert mismatches("alice", payloads, pair.sign, verifier) == {}


def test_a_token_signed_with_the_secret_is_still_accepted(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    """An HS256 token must need neither an issuer nor a fetch, whatever its ``kid`` and ``typ``."""
    token = forge(claims(), {"alg": "HS256", "kid": "key-1", "typ": "x"})

    assert verdict(token, verifier) == "alice"
    assert issuer.fetches == 0


def test_hs256_tokens_need_the_configured_issuer_and_audience_too(issuer: Issuer) -> None:
    """HS256 tokens must have the configured issuer and audience (docs/contract.md)."""
    keys = KeySet(issuer.url, ISSUER, ISSUER)
    verifier = TokenVerifier([SECRET], issuer=ISSUER, audience=ISSUER, keys=keys)

    assert verdict(mint(iss=ISSUER, aud=ISSUER), verifier) == "alice"
    assert verdict(mint(aud=ISSUER), verifier) == "wrong_issuer"
    assert verdict(mint(iss=ISSUER), verifier) == "wrong_audience"


@pytest.mark.live
def test_without_the_setting_authn_jwks_is_not_imported() -> None:
    """A service without public keys must not load the code for them."""
    program = (
        "import sys, django; django.setup()\n"
        "from authn.authentication import configured_verifier\n"
        "from conftest import mint\n"
        "print(configured_verifier().claims(mint())['sub'], 'authn.jwks' in sys.modules)\n"
        "import authn.jwks; print('authn.jwks' in sys.modules)"
    )

    process = subprocess.run([sys.executable, "-c", program], cwd=BASE_DIR, capture_output=True)

    assert (process.stdout.decode(), process.stderr) == ("alice False\nTrue\n", b"")
