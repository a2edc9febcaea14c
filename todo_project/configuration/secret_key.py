"""Derives the default ``SECRET_KEY``."""

import base64
import hmac

KEY_BYTES = 48


def derived_secret_key(secret: str) -> str:
    """Derive ``SECRET_KEY`` from a Better Auth secret, so that all processes have the same key.

    Args:
        secret: the first Better Auth secret.

    Returns:
        64 characters of base64, from which the secret cannot be computed.

    Source: RFC 5869 (HKDF with SHA-256).
    """
    pseudorandom = hmac.digest(bytes(32), secret.encode(), "sha256")
    first = hmac.digest(pseudorandom, b"django-secret-key\x01", "sha256")
    second = hmac.digest(pseudorandom, first + b"django-secret-key\x02", "sha256")
    return base64.b64encode((first + second)[:KEY_BYTES]).decode()
