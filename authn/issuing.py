"""Issues tokens like Better Auth's, for development."""

import time

import jwt
from django.conf import settings

from authn.tokens import ALGORITHMS


def issue_token(user_id: str, *, lifetime_seconds: int) -> str:
    """Sign a token that the API accepts.

    Args:
        user_id: the ``sub`` claim.
        lifetime_seconds: the time from now until the token expires.

    Returns:
        A JWT signed with HS256 and the first secret. It has ``sub``, ``iat`` and ``exp``, plus
        ``iss`` if an issuer and ``aud`` if an audience is configured.

    Source: docs/contract.md, "Authentication".
    """
    configured = settings.BETTER_AUTH
    now = int(time.time())
    claims = {"sub": user_id, "iat": now, "exp": now + lifetime_seconds}
    for name, setting in (("iss", "ISSUER"), ("aud", "AUDIENCE")):
        if configured[setting]:
            claims[name] = configured[setting]
    return jwt.encode(claims, configured["SECRETS"][0], ALGORITHMS[0])
