"""Tokens signed with the issuer's key pairs, and every confusion of keys that must not open."""

import json
import subprocess
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authn.jwks import KeySet
from authn.tests.forge import claims, forge, reason, segment, signature
from authn.tests.issuer import (
    ISSUER,
    KEY_PAIRS,
    Issuer,
    Jwk,
    KeyPair,
    good,
    key_pair,
    rsa_key,
)
from authn.tokens import ExpiredTokenError, TokenVerifier
from conftest import SECRET, mint


@pytest.mark.parametrize("alg", KEY_PAIRS)
@pytest.mark.parametrize("changed", [{}, {"alg": None}, {"use": "sig"}], ids=repr)
def test_a_token_signed_with_a_published_key_gives_its_claims(
    issuer: Issuer, verifier: TokenVerifier, alg: str, changed: Jwk
) -> None:
    """The issuer's own tokens must verify, whether or not its keys say what they are for."""
    pair, sent = key_pair(alg), good(email="alice@example.com")
    issuer.keys = [pair.jwk(**changed)]

    assert verifier.claims(pair.sign(sent)) == sent


@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_a_token_signed_with_another_key_under_the_same_name_is_refused(
    issuer: Issuer, verifier: TokenVerifier, alg: str
) -> None:
    """A ``kid`` must name a key, not prove that it was used."""
    issuer.publish(key_pair(alg))
    attackers = KeyPair(alg, "key-1", key_pair(alg, "an attacker's").private)

    assert reason(attackers.sign(), verifier) == "wrong_signature"


@pytest.mark.parametrize("alg", KEY_PAIRS)
@pytest.mark.parametrize("change", [lambda s: s[:-8], lambda s: f"{s}AAAA", lambda s: "AAAA"])
def test_a_changed_signature_is_refused(
    issuer: Issuer, verifier: TokenVerifier, alg: str, change: Any
) -> None:
    """Part of a signature, or more than one, must not do."""
    issuer.publish(pair := key_pair(alg))
    signed, _, right = pair.sign().rpartition(".")

    assert reason(f"{signed}.{change(right)}", verifier) == "wrong_signature"


@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_a_public_key_is_no_secret(issuer: Issuer, verifier: TokenVerifier, alg: str) -> None:
    """No spelling of a public key must serve as the key of an HMAC (RFC 8725 §2.1)."""
    issuer.publish(pair := key_pair(alg))
    public = pair.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    spellings = [pem, pem.strip(), json.dumps(pair.jwk()), *map(str, pair.jwk().values())]
    header = {"alg": "HS256", "kid": pair.kid}

    tokens = [forge(good(), header, secret=secret) for secret in spellings]

    assert {reason(token, verifier) for token in tokens} == {"wrong_signature"}


@pytest.mark.parametrize("alg", [None, "HS256", *KEY_PAIRS])
@pytest.mark.parametrize("asked", ["HS256", *KEY_PAIRS])
def test_a_secret_in_the_key_set_opens_nothing(
    issuer: Issuer, verifier: TokenVerifier, alg: str | None, asked: str
) -> None:
    """HS256 must stay tied to our own secret, whatever the issuer publishes (RFC 8725 §3.1)."""
    published = "a-secret-that-the-issuer-publishes-01234567"
    issuer.keys = [{"kty": "oct", "k": segment(published), "kid": "key-1", "alg": alg}]

    token = forge(good(), {"alg": asked, "kid": "key-1"}, secret=published)

    assert reason(token, verifier) in {"wrong_signature", "unknown_key"}


@pytest.mark.parametrize("alg", KEY_PAIRS)
@pytest.mark.parametrize("asked", KEY_PAIRS)
def test_a_key_is_used_for_its_own_algorithm_only(
    issuer: Issuer, verifier: TokenVerifier, alg: str, asked: str
) -> None:
    """The header must not choose what a key is for (RFC 8725 §3.1)."""
    issuer.publish(pair := key_pair(alg))
    token = pair.sign(header={**pair.header, "alg": asked})

    if asked == alg:
        assert verifier.claims(token)["sub"] == "alice"
    else:
        assert reason(token, verifier) == "wrong_algorithm"


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS512"])
@pytest.mark.parametrize("published_for", ["its own", "RS256", None])
def test_another_algorithm_of_the_same_key_is_refused(
    issuer: Issuer, verifier: TokenVerifier, alg: str, published_for: str | None
) -> None:
    """Nothing but EdDSA, ES256 and RS256 must be accepted, though the signature be right."""
    pair = key_pair("RS256")
    issuer.keys = [pair.jwk(alg=alg if published_for == "its own" else published_for)]
    tokens = [
        pair.sign(header={**pair.header, "alg": named}, algorithm=alg) for named in (alg, "RS256")
    ]

    assert reason(tokens[0], verifier) == "wrong_algorithm"
    assert reason(tokens[1], verifier) in {"unknown_key", "wrong_signature"}


@pytest.mark.parametrize(
    ("private", "alg", "refusal"),
    [
        (rsa_key(1024), "RS256", "wrong_signature"),
        (ec.generate_private_key(ec.SECP384R1()), "ES256", "wrong_signature"),
        (ec.generate_private_key(ec.SECP384R1()), None, "wrong_algorithm"),
        (ec.generate_private_key(ec.SECP256K1()), "ES256", "wrong_signature"),
    ],
    ids=["short", "another curve", "another curve, unnamed", "Bitcoin's curve"],
)
def test_a_key_that_does_not_fit_its_algorithm_is_refused(
    issuer: Issuer, verifier: TokenVerifier, private: Any, alg: str | None, refusal: str
) -> None:
    """A weak key, or one of another curve, must verify nothing (RFC 7518 §3.3, §3.4)."""
    pair = KeyPair("RS256" if alg == "RS256" else "ES256", "key-1", private)
    issuer.keys = [pair.jwk(alg=alg)]

    assert reason(pair.sign(), verifier) == refusal


@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_a_key_that_is_published_with_its_private_part_is_refused(
    issuer: Issuer, verifier: TokenVerifier, alg: str
) -> None:
    """A key that anybody can sign with must verify nothing, and be no fault of ours."""
    pair = key_pair(alg)
    issuer.keys = [pair.private_jwk()]

    assert reason(pair.sign(), verifier) == "unknown_key"


def test_a_key_for_encryption_verifies_nothing(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """A key's ``use`` must count (RFC 7517 §4.2)."""
    issuer.keys = [pair.jwk(use="enc")]

    assert reason(pair.sign(), verifier) == "unknown_key"


@pytest.mark.parametrize("kid", [None, 1, True, [], ["key-1"], {"kid": "key-1"}], ids=repr)
def test_a_token_must_name_its_key_by_a_string(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, kid: Any
) -> None:
    """A ``kid`` that can be no key's must be refused, without asking the issuer."""
    token = pair.sign(header={"alg": pair.alg, "kid": kid})

    assert reason(token, verifier) == "unknown_key"
    assert issuer.fetches == 0


def test_a_token_that_names_no_key_is_refused(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """No key must be guessed, though there be one only."""
    assert reason(pair.sign(header={"alg": pair.alg}), verifier) == "unknown_key"
    assert issuer.fetches == 0


def test_a_key_that_the_header_brings_along_is_not_used(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """The header must choose among our issuer's keys and no others (RFC 8725 §3.10)."""
    attackers = key_pair()
    hints = [{"jwk": attackers.jwk()}, {"jku": issuer.url}, {"x5u": issuer.url}, {"x5c": ["MIIB"]}]

    tokens = [attackers.sign(header={**attackers.header, **hint}) for hint in hints]

    assert {reason(token, verifier) for token in tokens} == {"wrong_signature"}
    assert issuer.fetches == 1


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


@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_an_hmac_under_the_name_of_a_key_pairs_algorithm_is_refused(
    issuer: Issuer, verifier: TokenVerifier, alg: str
) -> None:
    """Our own secret must not sign as a key pair either."""
    issuer.publish(pair := key_pair(alg))
    signed = f"{segment(pair.header)}.{segment(good())}"

    assert reason(f"{signed}.{signature(signed)}", verifier) == "wrong_signature"


def test_without_the_setting_no_line_of_it_runs() -> None:
    """Who does not ask for public keys must not even load what reads them."""
    program = (
        "import sys, django; django.setup()\n"
        "from authn.authentication import configured_verifier\n"
        "from conftest import mint\n"
        "print(configured_verifier().claims(mint())['sub'], 'authn.jwks' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (ran.stdout, ran.stderr) == ("alice False\n", "")
