"""Tokens signed with the issuer's private keys, and attacks that confuse keys or algorithms."""

import json
from itertools import permutations, product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authn.tests.forge import forge, mismatches, segment, signature, verdict
from authn.tests.jwks_server import (
    KEY_PAIRS,
    Issuer,
    KeyPair,
    fresh_verifier,
    issuer_claims,
    key_pair,
    rsa_key,
)
from authn.tokens import TokenVerifier

every_algorithm = pytest.mark.parametrize("alg", KEY_PAIRS)


@every_algorithm
def test_a_token_signed_with_a_published_key_is_accepted(issuer: Issuer, alg: str) -> None:
    """The issuer's tokens must verify, with and without ``alg`` and ``use`` in the keys."""
    pair, payload = key_pair(alg), issuer_claims(email="alice@example.com")
    keys = [pair.jwk(), pair.jwk(alg=None), pair.jwk(use="sig")]

    verified = [fresh_verifier(issuer, key).claims(pair.sign(payload)) for key in keys]

    assert verified == [payload] * 3


@every_algorithm
def test_a_signature_by_an_unpublished_key_is_refused(issuer: Issuer, alg: str) -> None:
    """A known ``kid`` must not be enough: the signature must verify."""
    verifier = fresh_verifier(issuer, (pair := key_pair(alg)).jwk())
    signed, _, right = pair.sign().rpartition(".")
    tokens = [
        KeyPair(alg, "key-1", key_pair(alg, "an attacker's").private).sign(),
        *(f"{signed}.{other}" for other in (right[:-8], f"{right}AAAA", "AAAA", signature(signed))),
    ]

    assert mismatches("wrong_signature", tokens, verifier=verifier) == {}


@every_algorithm
def test_a_public_key_is_not_an_hmac_secret(issuer: Issuer, alg: str) -> None:
    """No encoding of a public key may verify an HMAC (RFC 8725 §2.1)."""
    verifier = fresh_verifier(issuer, (pair := key_pair(alg)).jwk())
    public = pair.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    encodings = [pem, pem.strip(), json.dumps(pair.jwk()), *map(str, pair.jwk().values())]

    def signed(secret: str) -> str:
        return forge(issuer_claims(), {"alg": "HS256", "kid": pair.kid}, secret=secret)

    assert mismatches("wrong_signature", encodings, signed, verifier) == {}


def test_a_secret_in_the_key_set_is_ignored(issuer: Issuer) -> None:
    """HS256 must only be verified with the configured secret (RFC 8725 §3.1)."""
    published = "a-secret-that-the-issuer-publishes-01234567"
    key = {"kty": "oct", "k": segment(published), "kid": "key-1"}
    rows = product([None, "HS256", *KEY_PAIRS], ["HS256", *KEY_PAIRS])

    verdicts = {
        (alg, claimed): verdict(
            forge(issuer_claims(), {"alg": claimed, "kid": "key-1"}, secret=published),
            fresh_verifier(issuer, {**key, "alg": alg}),
        )
        for alg, claimed in rows
    }

    assert verdicts == {
        row: "wrong_signature" if row[1] == "HS256" else "unknown_key" for row in verdicts
    }


def test_a_key_is_only_used_for_its_own_algorithm(issuer: Issuer) -> None:
    """The token's header must not choose the algorithm of a key (RFC 8725 §3.1)."""
    pairs = {alg: key_pair(alg, alg) for alg in KEY_PAIRS}
    verifier = fresh_verifier(issuer, *(pair.jwk() for pair in pairs.values()))

    def signed(row: tuple[str, str]) -> str:
        return pairs[row[0]].sign(header={"alg": row[1], "kid": row[0]})

    assert mismatches("wrong_algorithm", permutations(KEY_PAIRS, 2), signed, verifier) == {}


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS512"])
def test_another_algorithm_of_the_same_key_is_refused(issuer: Issuer, alg: str) -> None:
    """Only EdDSA, ES256 and RS256 may be accepted, even with a valid signature."""
    pair = key_pair("RS256")

    def verdicts(claimed: str) -> list[str]:
        token = pair.sign(header={**pair.header, "alg": claimed}, algorithm=alg)
        keys = [pair.jwk(alg=each) for each in (alg, "RS256", None)]
        return [verdict(token, fresh_verifier(issuer, key)) for key in keys]

    assert verdicts(alg) == ["wrong_algorithm"] * 3
    assert verdicts("RS256") == ["unknown_key", *["wrong_signature"] * 2]


def test_a_key_unsuitable_for_its_algorithm_is_refused(issuer: Issuer) -> None:
    """A short key or one on another curve must not verify any token (RFC 7518 §3.3, §3.4)."""
    short, other = rsa_key(1024), ec.generate_private_key(ec.SECP384R1())
    secp256k1 = ec.generate_private_key(ec.SECP256K1())
    keys: list[tuple[Any, str, str | None]] = [
        *[(short, "RS256", "RS256"), (other, "ES256", "ES256"), (other, "ES256", None)],
        (secp256k1, "ES256", "ES256"),
    ]

    verdicts = [
        verdict(pair.sign(), fresh_verifier(issuer, pair.jwk(alg=alg)))
        for private, name, alg in keys
        if (pair := KeyPair(name, "key-1", private))
    ]

    assert verdicts == [*["wrong_signature"] * 2, "wrong_algorithm", "wrong_signature"]


@every_algorithm
def test_a_key_not_meant_for_verification_is_refused(issuer: Issuer, alg: str) -> None:
    """A private key or an encryption key must not verify any token (RFC 7517 §4.2)."""
    pair = key_pair(alg)
    keys = [pair.private_jwk(), pair.jwk(use="enc")]

    verdicts = [verdict(pair.sign(), fresh_verifier(issuer, key)) for key in keys]

    assert verdicts == ["unknown_key"] * 2


def test_a_token_must_have_a_string_kid(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Without a ``kid`` that is a string, no key may be tried or fetched."""
    headers: list[dict[str, Any]] = [
        {"alg": pair.alg},
        *({**pair.header, "kid": kid} for kid in (None, 1, True, [], ["key-1"], {"kid": "key-1"})),
    ]

    assert mismatches("unknown_key", headers, lambda each: pair.sign(header=each), verifier) == {}
    assert issuer.fetches == 0


def test_a_key_in_the_token_header_is_ignored(issuer: Issuer, verifier: TokenVerifier) -> None:
    """The header must not introduce keys or key URLs (RFC 8725 §3.10)."""
    attacker = key_pair()
    extras: list[dict[str, Any]] = [
        {"jwk": attacker.jwk()},
        {"jku": issuer.url},
        {"x5u": issuer.url},
        {"x5c": ["MIIB"]},
    ]

    def signed(extra: dict[str, Any]) -> str:
        return attacker.sign(header={**attacker.header, **extra})

    assert mismatches("wrong_signature", extras, signed, verifier) == {}
    assert issuer.fetches == 1
