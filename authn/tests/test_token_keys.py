"""Which secrets open a token."""

import pytest

from authn.tests.forge import claims, forge, reason
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

OLD_SECRET = "the-secret-before-the-rotation-0123456789"
NEW_SECRET = "the-secret-after-the-rotation-01234567890"


def test_a_token_signed_with_the_secret_gives_its_claims() -> None:
    """A token of Better Auth's must verify, with all it says (FR-001)."""
    sent = claims(email="alice@example.com", role=None)

    assert TokenVerifier([SECRET]).claims(forge(sent)) == sent


def test_a_token_signed_with_another_secret_is_invalid() -> None:
    """A token that somebody else signed must be refused (FR-004)."""
    assert reason(mint(secret=OLD_SECRET)) == "wrong_signature"


@pytest.mark.parametrize("secret", [OLD_SECRET, NEW_SECRET])
def test_during_a_rotation_old_and_new_secrets_both_count(secret: str) -> None:
    """Replacing a secret must sign nobody out (contract.md "Who may come in")."""
    verifier = TokenVerifier([NEW_SECRET, OLD_SECRET])

    assert verifier.claims(mint(secret=secret))["sub"] == "alice"


def test_after_a_rotation_the_old_secret_is_refused() -> None:
    """A secret that was taken out must open nothing."""
    assert reason(mint(secret=OLD_SECRET), TokenVerifier([NEW_SECRET])) == "wrong_signature"


def test_the_key_is_the_utf8_bytes_of_the_secret() -> None:
    """A secret must be taken as it is: not decoded from base64, not as Latin-1."""
    secret = "größe-ünd-schlüssel-ölfarbe-äpfel="

    assert TokenVerifier([secret]).claims(forge(claims(), secret=secret))["sub"] == "alice"


@pytest.mark.parametrize("secret", ["", "x", "x" * 31, "é" * 15])
def test_a_verifier_refuses_an_empty_or_short_key(secret: str) -> None:
    """A key under 32 bytes must be refused; PyJWT warns, or raises what is no token's error."""
    with pytest.raises(ValueError, match="shorter than 32 bytes"):
        TokenVerifier([SECRET, secret])


def test_a_verifier_takes_a_key_of_32_bytes() -> None:
    """The hash's own length must do (RFC 7518 §3.2)."""
    secret = "é" * 16

    assert TokenVerifier([secret]).claims(mint(secret=secret))["sub"] == "alice"


def test_a_verifier_does_not_show_its_secrets() -> None:
    """No trace or debugger that prints a verifier may print a secret (FR-017)."""
    assert SECRET not in repr(TokenVerifier([SECRET]))
