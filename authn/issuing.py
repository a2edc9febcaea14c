"""Minting tokens as Better Auth does, for development."""

import time

import jwt
from django.conf import settings

from authn.tokens import ALGORITHMS


def issue_token(user_id: str, *, lifetime_seconds: int) -> str:
    """Sign a token that the API accepts.

    Args:
        user_id: whom it names, in ``sub``.
        lifetime_seconds: until it expires, counted from now.

    Returns:
        A JWT signed with HS256 and the first secret, with ``sub``, ``iat`` and ``exp``; and with
        ``iss`` and ``aud`` where every token must have them.

    Source: docs/contract.md, "Who may come in".
    """
    configured = settings.BETTER_AUTH
    now = int(time.time())
    claims = {"sub": user_id, "iat": now, "exp": now + lifetime_seconds}
    parties = {"iss": configured["ISSUER"], "aud": configured["AUDIENCE"]}
    claims |= {name: party for name, party in parties.items() if party}
    return jwt.encode(claims, configured["SECRETS"][0], ALGORITHMS[0])
