"""Forges tokens that libraries refuse to make."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from authn.tokens import TokenError, TokenVerifier
from conftest import SECRET

VERIFIER = TokenVerifier([SECRET])
HEADER = {"alg": "HS256", "typ": "JWT"}


def segment(value: Any) -> str:
    """Encode a value as base64url: bytes and text as they are, anything else as JSON."""
    if not isinstance(value, (bytes, str)):
        value = json.dumps(value)
    data = value.encode() if isinstance(value, str) else value
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signature(signed: str, secret: str = SECRET, digest: str = "sha256") -> str:
    """Return the signature segment for ``header.payload``."""
    return segment(hmac.digest(secret.encode(), signed.encode(), digest))


def forge(
    payload: Any, header: Any = HEADER, *, secret: str = SECRET, digest: str = "sha256"
) -> str:
    """Sign any payload under any header."""
    signed = f"{segment(header)}.{segment(payload)}"
    return f"{signed}.{signature(signed, secret, digest)}"


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a valid token for alice, with changes."""
    now = int(time.time())
    return {"sub": "alice", "iat": now, "exp": now + 3600, **changed}


def claims_without(name: str) -> dict[str, Any]:
    """Return the claims of a valid token for alice, except one."""
    return {key: value for key, value in claims().items() if key != name}


def verdict(token: str, verifier: TokenVerifier = VERIFIER) -> str:
    """Return the token's ``sub``, the reason for its refusal, or the ``repr`` of other errors."""
    try:
        return str(verifier.claims(token).get("sub"))
    except TokenError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - shown with the row that causes it
        return repr(error)


def mismatches(
    expected: str,
    values: Iterable[Any],
    make: Callable[[Any], str] = str,
    verifier: TokenVerifier = VERIFIER,
) -> dict[str, str]:
    """Return the values whose verdict is not the expected one, with their verdicts.

    Args:
        expected: a user id, or the reason for a refusal.
        values: one value per token.
        make: the function that makes a token from a value.
        verifier: the verifier that checks the tokens.
    """
    verdicts = {repr(value): verdict(make(value), verifier) for value in values}
    assert verdicts
    return {value: actual for value, actual in verdicts.items() if actual != expected}
