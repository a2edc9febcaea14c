"""Django's secret key, derived from a Better Auth secret (RFC 5869)."""

import base64
import hashlib
import hmac

from todo_project.configuration.secret_key import derived_secret_key

SECRETS = ["a-secret-that-only-these-tests-know-0123456789", "x" * 32, "ä" * 40, "long" * 100]


def hkdf(key: bytes, info: bytes, length: int) -> bytes:
    """Compute HKDF with SHA-256 and without a salt, as in RFC 5869, section 2."""
    pseudorandom = hmac.new(b"\0" * 32, key, hashlib.sha256).digest()
    block, output, counter = b"", b"", 0
    while len(output) < length:
        counter += 1
        block = hmac.new(pseudorandom, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
    return output[:length]


def test_the_reference_matches_the_rfcs_example() -> None:
    """The reference implementation must be correct (RFC 5869, section A.3)."""
    assert hkdf(b"\x0b" * 22, b"", 42).hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_the_key_is_derived_by_hkdf() -> None:
    """The key must be the output of HKDF, from which the secret cannot be computed."""
    expected = {
        secret: base64.b64encode(hkdf(secret.encode(), b"django-secret-key", 48)).decode()
        for secret in SECRETS
    }

    assert {secret: derived_secret_key(secret) for secret in SECRETS} == expected
