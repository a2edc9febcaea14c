"""The secrets that tokens are signed with: read once, at the start, and never shown."""

import hashlib

from django.core.exceptions import ImproperlyConfigured
from jwt import InvalidKeyError
from jwt.algorithms import HMACAlgorithm

MIN_SECRET_BYTES = 32
MEND = "Generate one with: openssl rand -base64 32, and give Better Auth and this service the same."

# What Better Auth signs with when it is started without a secret outside of production.
BETTER_AUTH_DEFAULT = "better-auth-secret-12345678901234567890"

# Fragments that only a template has. A random secret holds none of them.
PLACEHOLDER_FRAGMENTS = (
    "change-me",
    "changeme",
    "change_me",
    "change-this",
    "your-secret",
    "your_secret",
    "yoursecret",
    "your-better-auth",
    "your_better_auth",
    "your-super-secret",
    "your_jwt_secret",
    "your-jwt-secret",
    "placeholder",
    "replace-with",
    "replace_with",
    "replace-me",
    "generate-a-",
    "your-256-bit",
    "your-32-char",
    "a-string-secret-at-least-256-bits-long",
)


def accepted_secrets(secret: str, secrets: str) -> tuple[str, ...]:
    """List every secret whose signature is accepted, the one that signs first.

    Args:
        secret: the value of ``BETTER_AUTH_SECRET``; empty where it is not set.
        secrets: the value of ``BETTER_AUTH_SECRETS``, ``2:new,1:old``; empty where it is not set.

    Returns:
        One or more secrets, each of 32 bytes or more in UTF-8, without repetition.

    Raises:
        ImproperlyConfigured: there is none, or one is malformed, short or a placeholder. The
            message names the variable and the mend, never the value.

    Source: docs/contract.md, "Who may come in"; RFC 7518 §3.2 (a key at least as long as the hash).
    """
    named = [("BETTER_AUTH_SECRETS", value) for value in _versioned(secrets)]
    if secret:
        named.append(("BETTER_AUTH_SECRET", secret))
    if not named:
        raise ImproperlyConfigured(f"BETTER_AUTH_SECRET is not set. {MEND}")
    for variable, value in named:
        _refuse_weak(variable, value)
    return tuple(dict.fromkeys(value for _, value in named))


def _versioned(secrets: str) -> list[str]:
    """Split ``2:new,1:old`` into its secrets, in their order."""
    if not secrets.strip():
        return []
    found = []
    for entry in secrets.split(","):
        version, _, value = (part.strip() for part in entry.partition(":"))
        if not (version.isascii() and version.isdigit() and value):
            raise ImproperlyConfigured(
                "BETTER_AUTH_SECRETS must be entries of the form version:secret, separated by"
                " commas, for example 2:new-secret,1:old-secret."
            )
        found.append(value)
    return found


def _refuse_weak(variable: str, value: str) -> None:
    try:
        key = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(value)
    except UnicodeEncodeError:
        raise ImproperlyConfigured(f"{variable} is not UTF-8. {MEND}") from None
    except InvalidKeyError:  # PyJWT would refuse every token with it
        raise ImproperlyConfigured(f"{variable} is a public or a private key. {MEND}") from None
    if len(key) < MIN_SECRET_BYTES:
        raise ImproperlyConfigured(
            f"{variable} is shorter than {MIN_SECRET_BYTES} bytes, which can be guessed. {MEND}"
        )
    if value == BETTER_AUTH_DEFAULT:
        raise ImproperlyConfigured(
            f"{variable} is the default that Better Auth publishes; anybody can sign. {MEND}"
        )
    if any(fragment in value.lower() for fragment in PLACEHOLDER_FRAGMENTS):
        raise ImproperlyConfigured(f"{variable} is still a placeholder. {MEND}")


# SHA-256 of keys that stand in public documents, so that this file does not spread them further.
PUBLISHED_KEY_DIGESTS = frozenset(
    {
        # the example of the plan of the FastAPI back end, in its quick start
        "b6c4b0aa38e901c9eef53116de756f2bc0d6a29ba647fa264bd1ccc97fe8ab84",
    }
)


def is_published(secret: str) -> bool:
    """Tell whether a secret stands in a public document, so that anybody may sign with it."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return digest in PUBLISHED_KEY_DIGESTS
