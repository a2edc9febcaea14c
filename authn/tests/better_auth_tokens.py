"""Look-alikes of what Better Auth 1.7.25 makes; ``examples/tests`` has the real ones."""

import time
from typing import Any

from authn.secrets import BETTER_AUTH_DEFAULT
from authn.tests.forge import claims, forge, segment, without
from authn.tests.jwks_server import good, key_pair

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
    """Sign as the hand-written route does."""
    return forge(claims(email="alice@example.com", **changed), {"alg": "HS256"})


def plugin(**changed: Any) -> str:
    """Sign as the ``jwt`` plugin with ``jwt.sign`` does."""
    return forge(good(email="alice@example.com", **changed))


def session_jwt(**changed: Any) -> str:
    """Sign a session cookie, ``cookieCache.strategy: "jwt"``."""
    return forge({**without("sub"), **SESSION, **changed}, {"alg": "HS256"})


def link(**changed: Any) -> str:
    """Sign what stands in the link of an e-mail."""
    return forge({**without("sub"), **LINK, **changed}, {"alg": "HS256"})


def session_by_key_pair() -> str:
    """Sign a session cookie, ``jwt({sessionCookieCache: true})``."""
    pair = key_pair()
    payload = good(**SESSION, sid=SESSION_TOKEN, aud="better-auth:session-cache")
    return pair.sign(payload, {**pair.header, "typ": "better-auth.session-cache+jwt"})


def compact(**changed: Any) -> str:
    """Encode a session cookie, ``cookieCache.strategy: "compact"``."""
    return segment({"session": SESSION, "expiresAt": EXPIRES_AT, "signature": "c2ln", **changed})


JWE = f"{segment({'alg': 'dir', 'enc': 'A256CBC-HS512', 'kid': 'x'})}..aXY.Y2lwaGVy.dGFn"
SIGNED_SESSION_TOKEN = f"{SESSION_TOKEN}.dGhlIHNpZ25hdHVyZSBvZiB0aGUgc2Vzc2lvbg%3D%3D"


def by_another_secret() -> str:
    """Sign with a secret that the two sides do not share."""
    return forge(claims(), secret=OTHER_SECRET)


def by_the_default() -> str:
    """Sign as a Better Auth that was given no secret does."""
    return forge(claims(), secret=BETTER_AUTH_DEFAULT)


def expired(**changed: Any) -> str:
    """Sign a token whose time was over an hour ago."""
    return forge(claims(exp=int(time.time()) - 3600, **changed))
