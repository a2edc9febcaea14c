"""Imitations of Better Auth 1.7.25's tokens; ``examples/tests`` uses real ones."""

import time
from typing import Any

from authn.secrets import BETTER_AUTH_DEFAULT
from authn.tests.forge import claims, claims_without, forge, segment
from authn.tests.jwks_server import issuer_claims, key_pair

SESSION_TOKEN = "Nq3vJ8wXkT5bLz0RmPcY7dHs2GfA9uEi"
OTHER_SECRET = "another-secret-of-32-characters-or-more"

SESSION: dict[str, Any] = {
    "session": {"id": "s1", "token": SESSION_TOKEN, "userId": "alice"},
    "user": {"id": "alice", "email": "alice@example.com"},
    "updatedAt": 1,
    "version": "1",
}
LINK = {"email": "alice@example.com", "userId": "alice"}
EXPIRES_AT = 253_402_300_000_000  # milliseconds


def hand_written(**changed: Any) -> str:
    """Sign a token like the hand-written route's."""
    return forge(claims(email="alice@example.com", **changed), {"alg": "HS256"})


def plugin(**changed: Any) -> str:
    """Sign a token like those of the ``jwt`` plugin with ``jwt.sign``."""
    return forge(issuer_claims(email="alice@example.com", **changed))


def session_jwt(**changed: Any) -> str:
    """Sign a session cookie (``cookieCache.strategy: "jwt"``)."""
    return forge({**claims_without("sub"), **SESSION, **changed}, {"alg": "HS256"})


def email_link(**changed: Any) -> str:
    """Sign the token of an e-mail link."""
    return forge({**claims_without("sub"), **LINK, **changed}, {"alg": "HS256"})


def key_pair_session_jwt() -> str:
    """Sign a session cookie (``jwt({sessionCookieCache: true})``)."""
    pair = key_pair()
    payload = issuer_claims(**SESSION, sid=SESSION_TOKEN, aud="better-auth:session-cache")
    return pair.sign(payload, {**pair.header, "typ": "better-auth.session-cache+jwt"})


def compact(**changed: Any) -> str:
    """Encode a session cookie (``cookieCache.strategy: "compact"``)."""
    return segment({"session": SESSION, "expiresAt": EXPIRES_AT, "signature": "c2ln", **changed})


JWE = f"{segment({'alg': 'dir', 'enc': 'A256CBC-HS512', 'kid': 'x'})}..aXY.Y2lwaGVy.dGFn"
SIGNED_SESSION_TOKEN = f"{SESSION_TOKEN}.dGhlIHNpZ25hdHVyZSBvZiB0aGUgc2Vzc2lvbg%3D%3D"


def signed_with_other_secret() -> str:
    """Sign a token with a secret that the API does not accept."""
    return forge(claims(), secret=OTHER_SECRET)


def signed_with_default_secret() -> str:
    """Sign a token with Better Auth's default secret."""
    return forge(claims(), secret=BETTER_AUTH_DEFAULT)


def expired(**changed: Any) -> str:
    """Sign a token that expired an hour ago."""
    return forge(claims(exp=int(time.time()) - 3600, **changed))
