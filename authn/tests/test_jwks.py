"""Tokens signed with the issuer's key pairs, and every confusion of keys that must not open."""

import json
from itertools import permutations, product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authn.tests.forge import forge, segment, signature, unlike, verdict
from authn.tests.jwks_server import (
    KEY_PAIRS,
    Issuer,
    KeyPair,
    fresh_verifier,
    good,
    key_pair,
    rsa_key,
)
from authn.tokens import TokenVerifier

every_algorithm = pytest.mark.parametrize("alg", KEY_PAIRS)


@every_algorithm
def test_a_token_signed_with_a_published_key_gives_its_claims(issuer: Issuer, alg: str) -> None:
    """The issuer's own tokens must verify, whether or not its keys say what they are for."""
    pair, sent = key_pair(alg), good(email="alice@example.com")
    keys = [pair.jwk(), pair.jwk(alg=None), pair.jwk(use="sig")]

    verified = [fresh_verifier(issuer, key).claims(pair.sign(sent)) for key in keys]

    assert verified == [sent] * 3


@every_algorithm
def test_only_the_whole_signature_of_the_published_key_counts(issuer: Issuer, alg: str) -> None:
    """A ``kid`` must name a key, and not prove that it was used."""
    verifier = fresh_verifier(issuer, (pair := key_pair(alg)).jwk())
    signed, _, right = pair.sign().rpartition(".")
    tokens = [
        KeyPair(alg, "key-1", key_pair(alg, "an attacker's").private).sign(),
        *(f"{signed}.{other}" for other in (right[:-8], f"{right}AAAA", "AAAA", signature(signed))),
    ]

    assert unlike("wrong_signature", tokens, verifier=verifier) == {}


@every_algorithm
def test_a_public_key_is_no_secret(issuer: Issuer, alg: str) -> None:
    """No spelling of a public key must serve as the key of an HMAC (RFC 8725 §2.1)."""
    verifier = fresh_verifier(issuer, (pair := key_pair(alg)).jwk())
    public = pair.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    spellings = [pem, pem.strip(), json.dumps(pair.jwk()), *map(str, pair.jwk().values())]

    def signed(secret: str) -> str:
        return forge(good(), {"alg": "HS256", "kid": pair.kid}, secret=secret)

    assert unlike("wrong_signature", spellings, signed, verifier) == {}


def test_a_secret_in_the_key_set_opens_nothing(issuer: Issuer) -> None:
    """HS256 must stay tied to our own secret, whatever the issuer publishes (RFC 8725 §3.1)."""
    published = "a-secret-that-the-issuer-publishes-01234567"
    key = {"kty": "oct", "k": segment(published), "kid": "key-1"}
    rows = product([None, "HS256", *KEY_PAIRS], ["HS256", *KEY_PAIRS])

    verdicts = {
        (alg, asked): verdict(
            forge(good(), {"alg": asked, "kid": "key-1"}, secret=published),
            fresh_verifier(issuer, {**key, "alg": alg}),
        )
        for alg, asked in rows
    }

    assert verdicts == {
        row: "wrong_signature" if row[1] == "HS256" else "unknown_key" for row in verdicts
    }


def test_a_key_is_used_for_its_own_algorithm_only(issuer: Issuer) -> None:
    """The header must not choose what a key is for (RFC 8725 §3.1)."""
    pairs = {alg: key_pair(alg, alg) for alg in KEY_PAIRS}
    verifier = fresh_verifier(issuer, *(pair.jwk() for pair in pairs.values()))

    def asking(row: tuple[str, str]) -> str:
        return pairs[row[0]].sign(header={"alg": row[1], "kid": row[0]})

    assert unlike("wrong_algorithm", permutations(KEY_PAIRS, 2), asking, verifier) == {}


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS512"])
def test_another_algorithm_of_the_same_key_is_refused(issuer: Issuer, alg: str) -> None:
    """Nothing but EdDSA, ES256 and RS256 must be accepted, though the signature be right."""
    pair = key_pair("RS256")

    def verdicts(named: str) -> list[str]:
        token = pair.sign(header={**pair.header, "alg": named}, algorithm=alg)
        keys = [pair.jwk(alg=each) for each in (alg, "RS256", None)]
        return [verdict(token, fresh_verifier(issuer, key)) for key in keys]

    assert verdicts(alg) == ["wrong_algorithm"] * 3
    assert verdicts("RS256") == ["unknown_key", *["wrong_signature"] * 2]


def test_a_key_that_does_not_fit_its_algorithm_is_refused(issuer: Issuer) -> None:
    """A weak key, or one of another curve, must verify nothing (RFC 7518 §3.3, §3.4)."""
    short, other = rsa_key(1024), ec.generate_private_key(ec.SECP384R1())
    bitcoins = ec.generate_private_key(ec.SECP256K1())
    keys: list[tuple[Any, str, str | None]] = [
        *[(short, "RS256", "RS256"), (other, "ES256", "ES256"), (other, "ES256", None)],
        (bitcoins, "ES256", "ES256"),
    ]

    verdicts = [
        verdict(pair.sign(), fresh_verifier(issuer, pair.jwk(alg=alg)))
        for private, name, alg in keys
        if (pair := KeyPair(name, "key-1", private))
    ]

    assert verdicts == [*["wrong_signature"] * 2, "wrong_algorithm", "wrong_signature"]


@every_algorithm
def test_a_key_that_is_not_published_for_signatures_is_refused(issuer: Issuer, alg: str) -> None:
    """A key with its private part, or for encryption, must verify nothing (RFC 7517 §4.2)."""
    pair = key_pair(alg)
    keys = [pair.private_jwk(), pair.jwk(use="enc")]

    verdicts = [verdict(pair.sign(), fresh_verifier(issuer, key)) for key in keys]

    assert verdicts == ["unknown_key"] * 2


def test_a_token_must_name_its_key_by_a_string(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """No key must be guessed, though there be one only, and the issuer not be asked."""
    headers: list[dict[str, Any]] = [
        {"alg": pair.alg},
        *({**pair.header, "kid": kid} for kid in (None, 1, True, [], ["key-1"], {"kid": "key-1"})),
    ]

    assert unlike("unknown_key", headers, lambda each: pair.sign(header=each), verifier) == {}
    assert issuer.fetches == 0


def test_a_key_that_the_header_brings_along_is_not_used(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    """The header must choose among our issuer's keys and no others (RFC 8725 §3.10)."""
    attackers = key_pair()
    hints: list[dict[str, Any]] = [
        {"jwk": attackers.jwk()},
        {"jku": issuer.url},
        {"x5u": issuer.url},
        {"x5c": ["MIIB"]},
    ]

    def signed(hint: dict[str, Any]) -> str:
        return attackers.sign(header={**attackers.header, **hint})

    assert unlike("wrong_signature", hints, signed, verifier) == {}
    assert issuer.fetches == 1
