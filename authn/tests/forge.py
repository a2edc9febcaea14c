"""Tokens made by hand, because no library makes what these tests must send."""

import base64
import hmac
import json
import time
from typing import Any

import pytest

from authn.tokens import InvalidTokenError, TokenVerifier
from conftest import SECRET

HEADER = {"alg": "HS256", "typ": "JWT"}


def segment(value: Any) -> str:
    """Encode a segment: bytes and text as they are, anything else as JSON."""
    if not isinstance(value, (bytes, str)):
        value = json.dumps(value)
    data = value.encode() if isinstance(value, str) else value
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signature(signed: str, secret: str = SECRET, digest: str = "sha256") -> str:
    """Sign ``header.payload``."""
    return segment(hmac.digest(secret.encode(), signed.encode(), digest))


def forge(
    payload: Any, header: Any = HEADER, *, secret: str = SECRET, digest: str = "sha256"
) -> str:
    """Make a token of any header and payload, with a signature that fits them."""
    signed = f"{segment(header)}.{segment(payload)}"
    return f"{signed}.{signature(signed, secret, digest)}"


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a good token of alice's, with these changed."""
    now = int(time.time())
    return {"sub": "alice", "iat": now, "exp": now + 3600, **changed}


def without(name: str) -> dict[str, Any]:
    """Return the claims of a good token of alice's, but for this one."""
    return {key: value for key, value in claims().items() if key != name}


def reason(token: str, verifier: TokenVerifier | None = None) -> str:
    """Return why a token is invalid, which is not the same as expired."""
    with pytest.raises(InvalidTokenError) as refusal:
        (verifier or TokenVerifier([SECRET])).claims(token)
    return refusal.value.reason
