"""Validation of the secrets that sign tokens. Error messages never contain a secret."""

import hashlib
import re

from django.core.exceptions import ImproperlyConfigured
from jwt import InvalidKeyError
from jwt.algorithms import HMACAlgorithm

MIN_SECRET_BYTES = 32
# Different ones; 32 random hexadecimal digits have fewer once in 10 ** 16.
MIN_CHARACTERS = 5
# Another entry after a wrong separator; otherwise it would be a part of the secret.
NEXT_ENTRY = re.compile(r"[;|\s][0-9]+:")
HOW_TO_FIX = (
    "Generate one with: openssl rand -base64 32. Better Auth and this service need the same secret."
)

# Better Auth 1.7.25 signs with this default outside production if no secret is configured.
BETTER_AUTH_DEFAULT = "better-auth-secret-12345678901234567890"

# Fragments of placeholders in templates, with a hyphen for an underscore. A random secret will not
# contain one.
PLACEHOLDER_FRAGMENTS = (
    "change-me",
    "changeme",
    "change-this",
    "your-secret",
    "yoursecret",
    "your-better-auth",
    "your-super-secret",
    "your-jwt-secret",
    "placeholder",
    "replace-with",
    "replace-me",
    "replaceme",
    "generate-a-",
    "your-256-bit",
    "your-32-char",
    "a-string-secret-at-least-256-bits-long",
)

# Values that stand for a secret, and what they are. The forms are narrow: a random secret has one
# of them less often than once in a million, a passphrase never.
STAND_INS = {
    re.compile(r"\A([\"'`]).*\1\Z", re.S): "in quotes, which would become part of the secret",
    re.compile(
        # base64 may end, but not go on, with =
        r"\A(export\s|\$env:)?([A-Z][A-Z0-9]+(_[A-Z0-9]{2,})+|better_auth_secrets?)\s?=(?!=?\Z)"
    ): "a line NAME=value, not the value alone",
    re.compile(
        r"\A<[\w\s.,:/'-]+>\Z|\A\$?\{\{.*\}\}\Z|\A\$(\{[^{}]*\}|\([^()]*\)|[A-Z_]+)\Z"
    ): "a template that was not filled in",
    re.compile(
        r"\A(openssl (rand|dgst|genrsa|enc)|npx [a-z@]|node -|python3? -|head -c|cat /|dd if=)"
    ): "a command, not its output",
    re.compile(r"\A(/(run|etc|var|mnt|vault|secrets)/|\.{1,2}/)[\w./-]*\Z"): (
        "the path of a file, which belongs in a variable that ends in _FILE"
    ),
    re.compile(
        r"\A([a-z][a-z0-9+.-]*://|arn:aws|vault:secret/|secretref:|@Microsoft\.KeyVault"
        r"|projects/.*/secrets/)"
    ): "a reference or a URL, not the secret itself",
}


def accepted_secrets(
    secret: str, secrets: str, if_none: str = "BETTER_AUTH_SECRET is not set."
) -> tuple[str, ...]:
    """Return the accepted secrets; the first one signs tokens.

    Args:
        secret: the value of ``BETTER_AUTH_SECRET``, or an empty string.
        secrets: the value of ``BETTER_AUTH_SECRETS`` (``2:new,1:old``), or an empty string.
        if_none: the first sentence of the message if no secret is set.

    Returns:
        At least one secret, without duplicates, each of 32 bytes or more in UTF-8.

    Raises:
        ImproperlyConfigured: no secret is set, or one is malformed or insecure. The message names
            the variable and says how to fix it.

    Source: docs/contract.md, "Authentication"; RFC 7518 §3.2 (minimum key length).
    """
    named = [("BETTER_AUTH_SECRETS", value) for value in _parse_versioned(secrets)]
    if secret:
        named.append(("BETTER_AUTH_SECRET", secret))
    if not named:
        raise ImproperlyConfigured(f"{if_none} {HOW_TO_FIX}")
    for variable, value in named:
        _refuse_weak(variable, value)
    return tuple(dict.fromkeys(value for _, value in named))


def _parse_versioned(secrets: str) -> list[str]:
    """Return the secrets from a list such as ``2:new,1:old``, in the same order."""
    if not secrets.strip():
        return []
    values = []
    for entry in secrets.split(","):
        version, _, value = (part.strip() for part in entry.partition(":"))
        is_version = version.isascii() and version.isdigit()
        if not (is_version and value) or NEXT_ENTRY.search(value):
            raise ImproperlyConfigured(
                "BETTER_AUTH_SECRETS must be a comma-separated list of version:secret entries,"
                " for example 2:new-secret,1:old-secret."
            )
        values.append(value)
    return values


def _refuse_weak(variable: str, value: str) -> None:
    try:
        key = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(value)
    except UnicodeEncodeError:
        raise ImproperlyConfigured(f"{variable} is not UTF-8. {HOW_TO_FIX}") from None
    except InvalidKeyError:  # PyJWT refuses to verify an HMAC with it
        raise ImproperlyConfigured(
            f"{variable} is a public or a private key. {HOW_TO_FIX}"
        ) from None
    for pattern in STAND_INS:
        if pattern.search(value):
            raise ImproperlyConfigured(f"{variable} is {STAND_INS[pattern]}. {HOW_TO_FIX}")
    if len(key) < MIN_SECRET_BYTES:
        raise ImproperlyConfigured(
            f"{variable} is shorter than {MIN_SECRET_BYTES} bytes. {HOW_TO_FIX}"
        )
    if value == BETTER_AUTH_DEFAULT:
        raise ImproperlyConfigured(
            f"{variable} is Better Auth's public default: anyone can sign with it. {HOW_TO_FIX}"
        )
    text = value.lower().replace("_", "-")
    if any(fragment in text for fragment in PLACEHOLDER_FRAGMENTS):
        raise ImproperlyConfigured(f"{variable} is still a placeholder. {HOW_TO_FIX}")


# Characters on which the readers of .env files differ. @next/env expands a $, also in quotes, cuts
# an unquoted value at #, and removes back-ticks around a value; python-dotenv does none of these,
# but removes a backslash before a quote or a backslash.
AMBIGUOUS_CHARACTERS = frozenset("$#\\`'\"")
READ_DIFFERENTLY = (
    "BETTER_AUTH_SECRET or BETTER_AUTH_SECRETS contains $, #, a backslash, a quote or a back-tick:"
    " Better Auth may read another secret from the same line of a .env file."
)


def is_ambiguous(secret: str) -> bool:
    """Return whether Better Auth may read another secret from the same line of a ``.env`` file.

    Source: ``@next/env`` 16.4.6, compared with python-dotenv; docs/better-auth.md, "The secret".
    """
    return not AMBIGUOUS_CHARACTERS.isdisjoint(secret)


# SHA-256 digests of secrets from public documentation; this file must not republish them.
PUBLISHED_SECRET_DIGESTS = frozenset(
    # the example in the quick start of the FastAPI back end's plan
    {"b6c4b0aa38e901c9eef53116de756f2bc0d6a29ba647fa264bd1ccc97fe8ab84"}
)


def is_published(secret: str) -> bool:
    """Return whether a secret appears in public documentation."""
    return hashlib.sha256(secret.encode()).hexdigest() in PUBLISHED_SECRET_DIGESTS
