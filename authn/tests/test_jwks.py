"""Tokens signed with the issuer's key pairs, and every confusion of keys that must not open."""

import json
from itertools import permutations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authn.tests.forge import forge, reason, segment, signature
from authn.tests.jwks_server import (
    KEY_PAIRS,
    Issuer,
    Jwk,
    KeyPair,
    good,
    key_pair,
    rsa_key,
)
from authn.tokens import TokenVerifier


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


@pytest.mark.parametrize(("alg", "asked"), [*permutations(KEY_PAIRS, 2)])
def test_a_key_is_used_for_its_own_algorithm_only(
    issuer: Issuer, verifier: TokenVerifier, alg: str, asked: str
) -> None:
    """The header must not choose what a key is for (RFC 8725 §3.1)."""
    issuer.publish(pair := key_pair(alg))

    assert reason(pair.sign(header={**pair.header, "alg": asked}), verifier) == "wrong_algorithm"


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
    hints: list[dict[str, Any]] = [
        {"jwk": attackers.jwk()},
        {"jku": issuer.url},
        {"x5u": issuer.url},
        {"x5c": ["MIIB"]},
    ]

    tokens = [attackers.sign(header={**attackers.header, **hint}) for hint in hints]

    assert {reason(token, verifier) for token in tokens} == {"wrong_signature"}
    assert issuer.fetches == 1


@pytest.mark.parametrize("alg", KEY_PAIRS)
def test_an_hmac_under_the_name_of_a_key_pairs_algorithm_is_refused(
    issuer: Issuer, verifier: TokenVerifier, alg: str
) -> None:
    """Our own secret must not sign as a key pair either."""
    issuer.publish(pair := key_pair(alg))
    signed = f"{segment(pair.header)}.{segment(good())}"

    assert reason(f"{signed}.{signature(signed)}", verifier) == "wrong_signature"
