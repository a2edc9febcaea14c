"""Which secrets open a token."""

import pytest

from authn.tests.forge import VERIFIER, claims, forge, unlike, verdict
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

OLD_SECRET = "the-secret-before-the-rotation-0123456789"
NEW_SECRET = "the-secret-after-the-rotation-01234567890"


def by(secret: str) -> str:
    """Sign with a secret."""
    return mint(secret=secret)


def test_a_token_signed_with_the_secret_gives_its_claims() -> None:
    """A token of Better Auth's must verify, with all it says (FR-001)."""
    sent = claims(email="alice@example.com", role=None)

    assert VERIFIER.claims(forge(sent)) == sent


def test_during_a_rotation_old_and_new_secrets_both_count() -> None:
    """Replacing a secret must sign nobody out (docs/contract.md, "Who may come in")."""
    during, after = TokenVerifier([NEW_SECRET, OLD_SECRET]), TokenVerifier([NEW_SECRET])

    assert unlike("alice", [OLD_SECRET, NEW_SECRET], by, during) == {}
    assert unlike("wrong_signature", [OLD_SECRET, SECRET], by, after) == {}


def test_the_key_is_the_utf8_bytes_of_the_secret() -> None:
    """A secret must be taken as it is: not decoded from base64, not as Latin-1."""
    secret = "größe-ünd-schlüssel-ölfarbe-äpfel="

    assert verdict(by(secret), TokenVerifier([secret])) == "alice"


@pytest.mark.parametrize("secret", ["", "x", "x" * 31, "é" * 15])
def test_a_verifier_refuses_an_empty_or_short_key(secret: str) -> None:
    """A key under 32 bytes must be refused; PyJWT warns, or raises what is no token's error."""
    with pytest.raises(ValueError, match="shorter than 32 bytes"):
        TokenVerifier([SECRET, secret])


def test_a_verifier_takes_a_key_of_32_bytes() -> None:
    """The hash's own length must do (RFC 7518 §3.2)."""
    secret = "é" * 16

    assert verdict(by(secret), TokenVerifier([secret])) == "alice"


def test_a_verifier_does_not_show_its_secrets() -> None:
    """No trace or debugger that prints a verifier may print a secret (FR-017)."""
    assert SECRET not in repr(VERIFIER)
