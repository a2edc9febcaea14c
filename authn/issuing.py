"""Minting tokens as Better Auth does, for development."""

import time

import jwt

from authn.tokens import ALGORITHMS


def issue_token(user_id: str, *, secret: str, lifetime_seconds: int) -> str:
    """Sign a token that the API accepts.

    Args:
        user_id: whom it names, in ``sub``.
        secret: what it is signed with, 32 bytes or more.
        lifetime_seconds: until it expires, counted from now.

    Returns:
        A JWT signed with HS256, with ``sub``, ``iat`` and ``exp``.

    Source: contract.md "Who may come in".
    """
    now = int(time.time())
    claims = {"sub": user_id, "iat": now, "exp": now + lifetime_seconds}
    return jwt.encode(claims, secret, ALGORITHMS[0])
