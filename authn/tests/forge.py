"""Tokens made by hand, because no library makes what these tests must send."""

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


def verdict(token: str, verifier: TokenVerifier = VERIFIER) -> str:
    """Return the user whom a token names in ``sub``, or the reason why it is refused."""
    try:
        return str(verifier.claims(token).get("sub"))
    except TokenError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - a fault of ours, beside the row that causes it
        return repr(error)


def unlike(
    expected: str,
    values: Iterable[Any],
    make: Callable[[Any], str] = str,
    verifier: TokenVerifier = VERIFIER,
) -> dict[str, str]:
    """Return the verdicts on tokens that differ from the expected one.

    Args:
        expected: a user, or the reason of a refusal.
        values: the rows of a table.
        make: makes a token from a row.
        verifier: judges it.
    """
    verdicts = {repr(value): verdict(make(value), verifier) for value in values}
    assert verdicts
    return {value: found for value, found in verdicts.items() if found != expected}
