"""The secrets that verify a token."""

import hmac
from typing import Any, cast
from unittest.mock import Mock
from uuid import uuid4

import pytest

from authn.tests.forge import VERIFIER, claims, forge, mismatches, verdict
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

OLD_SECRET = "the-secret-before-the-rotation-0123456789"
NEW_SECRET = "the-secret-after-the-rotation-01234567890"


def signed_with(secret: str) -> str:
    """Sign a token with a secret."""
    return mint(secret=secret)


def test_a_token_signed_with_the_secret_is_accepted() -> None:
    """Verifying a valid token must return all its claims (FR-001)."""
    payload = claims(email="alice@example.com", role=None)

    assert VERIFIER.claims(forge(payload)) == payload


def test_during_a_rotation_old_and_new_secrets_are_accepted() -> None:
    """Replacing a secret must not sign any user out (docs/contract.md, "Authentication")."""
    during, after = TokenVerifier([NEW_SECRET, OLD_SECRET]), TokenVerifier([NEW_SECRET])

    assert mismatches("alice", [OLD_SECRET, NEW_SECRET], signed_with, during) == {}
    assert mismatches("wrong_signature", [OLD_SECRET, SECRET], signed_with, after) == {}


def test_a_token_that_was_accepted_is_refused_without_its_secret() -> None:
    """A withdrawn secret must not stay valid for known tokens."""
    token = signed_with(OLD_SECRET)

    assert verdict(token, TokenVerifier([OLD_SECRET])) == "alice"
    assert verdict(token, TokenVerifier([NEW_SECRET])) == "wrong_signature"


def test_a_signature_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result must be kept for an accepted token, unless it is long, and for no other."""
    digest = Mock(wraps=hmac.digest)
    monkeypatch.setattr(hmac, "digest", digest)
    counts = []
    new = uuid4().hex  # no other test has verified the same token
    for token in (mint(jti=new), mint(jti=new * 64), mint(jti=new, secret=OLD_SECRET)):
        digest.reset_mock()
        assert verdict(token) == verdict(token)
        counts.append(digest.call_count)

    assert counts == [1, 2, 2]


def test_the_claims_of_a_token_cannot_be_changed() -> None:
    """Later requests with the token must get the claims that were signed."""
    with pytest.raises(TypeError):
        cast(dict[str, Any], VERIFIER.claims(mint()))["sub"] = "bob"


def test_the_key_is_the_utf8_bytes_of_the_secret() -> None:
    """A secret must be encoded as UTF-8, not as Latin-1, and not decoded from base64."""
    secret = "größe-ünd-schlüssel-ölfarbe-äpfel="

    assert verdict(signed_with(secret), TokenVerifier([secret])) == "alice"


@pytest.mark.parametrize("secret", ["", "x", "x" * 31, "é" * 15])
def test_a_short_secret_is_refused(secret: str) -> None:
    """A key shorter than 32 bytes must be refused; PyJWT only warns, or fails later."""
    with pytest.raises(ValueError, match="shorter than 32 bytes"):
        TokenVerifier([SECRET, secret])


def test_a_secret_of_32_bytes_is_accepted() -> None:
    """A key as long as the hash must be accepted (RFC 7518 §3.2)."""
    secret = "é" * 16

    assert verdict(signed_with(secret), TokenVerifier([secret])) == "alice"


def test_the_repr_of_a_verifier_shows_no_secret() -> None:
    """A traceback or debugger that prints a verifier must not print a secret (FR-017)."""
    assert SECRET not in repr(VERIFIER)
