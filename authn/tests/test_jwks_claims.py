"""Type, parties and times of tokens signed with key pairs, and HS256 beside them."""

import subprocess
import sys
from typing import Any

import pytest

from authn.jwks import KeySet
from authn.tests.forge import claims, forge, unlike, verdict
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, good
from authn.tokens import TokenVerifier
from conftest import SECRET, mint
from todo_project.configuration.environment import BASE_DIR

# what is said of a token: what its header is changed to
HEADERS: dict[str, list[dict[str, Any]]] = {
    # Better Auth's plugin sets no `typ`; Neon Auth's may
    "alice": [{}, {"typ": "JWT"}, {"typ": None}],
    # the session cookie, signed with the same keys, among them (RFC 8725 §3.11)
    "wrong_type": [
        *({"typ": typ} for typ in ("better-auth.session-cache+jwt", "at+jwt", "JWT ", "jwt")),
        *({"typ": typ} for typ in ("", "JWS", 0, True, ["JWT"])),
    ],
    "critical_header": [{"crit": ["b64"], "b64": False}, {"crit": ["x"]}],
}
OTHERS: list[Any] = [None, "", "/", "https://elsewhere.example", 1, []]
# what is said of a token: payloads of it
PAYLOADS: dict[str, list[Any]] = {
    "malformed": ["[]", "null", '{"sub":"alice","sub":"bob"}', b"\xff"],
    "wrong_issuer": [*(good(iss=iss) for iss in OTHERS), claims(aud=ISSUER)],
    "wrong_audience": [*(good(aud=aud) for aud in OTHERS), claims(iss=ISSUER)],
    "bad_expiry": [good(exp=None)],
    "bad_iat": [good(iat="1")],
    "not_yet_valid": [good(nbf=2**40)],
    "expired": [good(exp=1)],
}


@pytest.mark.parametrize("said", HEADERS)
def test_the_header_of_a_key_pairs_token_is_judged(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, said: str
) -> None:
    """A type must be JWT or absent, and what must be understood refused (RFC 7515 §4.1.11)."""

    def signed(changed: dict[str, Any]) -> str:
        return pair.sign(header={**pair.header, **changed})

    assert unlike(said, HEADERS[said], signed, verifier) == {}
    assert issuer.fetches == (said == "alice")  # a token of another type is not asked about


@pytest.mark.parametrize("said", PAYLOADS)
def test_the_payload_of_a_key_pairs_token_is_judged(
    verifier: TokenVerifier, pair: KeyPair, said: str
) -> None:
    """It must be read as strictly as one signed with the secret, and name both parties."""
    assert unlike(said, PAYLOADS[said], pair.sign, verifier) == {}


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
def test_the_parties_match_with_and_without_a_slash(
    issuer: Issuer, pair: KeyPair, configured: str
) -> None:
    """A base URL and the same with a slash must be one party."""
    verifier = TokenVerifier([SECRET], keys=KeySet(issuer.url, configured, configured))
    payloads = [good(iss=sent, aud=[sent]) for sent in (ISSUER, f"{ISSUER}/")]

    assert unlike("alice", payloads, pair.sign, verifier) == {}


def test_a_token_signed_with_the_secret_is_accepted_beside_them(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    """HS256 must work as before: no issuer asked for, no key fetched, any ``kid`` and ``typ``."""
    token = forge(claims(), {"alg": "HS256", "kid": "key-1", "typ": "x"})

    assert verdict(token, verifier) == "alice"
    assert issuer.fetches == 0


def test_a_configured_issuer_binds_the_tokens_of_the_secret_too(issuer: Issuer) -> None:
    """``BETTER_AUTH_ISSUER``, where set, must be in every token (contract.md "Who may come in")."""
    keys = KeySet(issuer.url, ISSUER, ISSUER)
    verifier = TokenVerifier([SECRET], issuer=ISSUER, audience=ISSUER, keys=keys)

    assert verdict(mint(iss=ISSUER, aud=ISSUER), verifier) == "alice"
    assert verdict(mint(aud=ISSUER), verifier) == "wrong_issuer"
    assert verdict(mint(iss=ISSUER), verifier) == "wrong_audience"


@pytest.mark.live
def test_without_the_setting_no_line_of_it_runs() -> None:
    """Who does not ask for public keys must not even load what reads them."""
    program = (
        "import sys, django; django.setup()\n"
        "from authn.authentication import configured_verifier\n"
        "from conftest import mint\n"
        "print(configured_verifier().claims(mint())['sub'], 'authn.jwks' in sys.modules)\n"
        "import authn.jwks; print('authn.jwks' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", program], cwd=BASE_DIR, capture_output=True)

    assert (ran.stdout.decode(), ran.stderr) == ("alice False\nTrue\n", b"")
