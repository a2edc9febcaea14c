"""Which of Better Auth's tokens is this? For the doctor: nothing here decides who may come in."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

SESSION_COOKIE = "better-auth.session-cache+jwt"
OPAQUE = re.compile(r"[A-Za-z0-9]{32}")
KEY_PAIR_ALGORITHM = re.compile(r"(ES|RS|PS)(256|384|512)|EdDSA|Ed25519")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a token is, judged by its looks alone.

    Args:
        name: what it is, in plain words; it holds nothing of the token.
        is_for_apis: whether it is made to be sent to one, so that it could be mended.
        algorithm: what it says it is signed with; empty where it says nothing.
        claims: what it says, unverified; ``None`` where that cannot be read.
    """

    name: str
    is_for_apis: bool = False
    algorithm: str = ""
    claims: dict[str, Any] | None = None


def kind_of(token: str) -> Kind:
    """Tell which of Better Auth's tokens this looks like.

    Args:
        token: whatever somebody took for a token.

    Source: Better Auth 1.7.25, measured.
    """
    segments = token.split(".")
    read = _object(segments[0])
    match len(segments):
        case 3 if read:
            return _jwt(read, _object(segments[1]))
        case 5 if read:
            name = "Better Auth's session cookie, encrypted (cookieCache strategy jwe)"
            return Kind(name, algorithm=str(read.get("enc", "")))
        case 2 if OPAQUE.fullmatch(segments[0]) and segments[1] and not read:
            return Kind("Better Auth's session token (cookie session_token, bearer plugin)")
        case 1 if read.keys() >= {"session", "expiresAt", "signature"}:
            name = "Better Auth's session cookie, compact (cookieCache strategy compact)"
            return Kind(name, algorithm="HMAC-SHA256, but not as a JWT", claims=_compact(read))
        case 1 if OPAQUE.fullmatch(token):
            return Kind("a session token of Better Auth without its signature, or a user's id")
    return Kind("none of Better Auth's tokens, or a part of one")


def _compact(cookie: dict[str, Any]) -> dict[str, Any]:
    """Name the user and the expiry of a compact cookie as the claims of a token do."""
    session, expires_at = cookie["session"], cookie["expiresAt"]
    return {
        "user": session.get("user") if isinstance(session, dict) else None,
        "exp": expires_at // 1000 if isinstance(expires_at, int) else None,  # milliseconds
    }


def _jwt(header: dict[str, Any], claims: dict[str, Any]) -> Kind:
    algorithm = str(header.get("alg", ""))
    name, is_for_apis = _name(header.get("typ"), claims, algorithm)
    return Kind(name, is_for_apis, algorithm, claims)


def _name(kind: object, claims: dict[str, Any], algorithm: str) -> tuple[str, bool]:
    if kind == SESSION_COOKIE:
        return "Better Auth's session cookie, signed with a key pair (sessionCookieCache)", False
    if KEY_PAIR_ALGORITHM.fullmatch(algorithm):
        return "a token of Better Auth's jwt plugin as it comes, signed with a key pair", True
    if algorithm != "HS256":
        return "a JSON Web Token, but none of Better Auth's", True
    if "sub" not in claims and claims.keys() & {"userId", "requestType", "updateTo"}:
        return "a link from an e-mail of Better Auth (verification, change of address)", False
    if "sub" not in claims and "session" in claims:
        return "Better Auth's session cookie as a JWT (cookieCache strategy jwt)", True
    if "iss" in claims:
        return "a token of Better Auth's jwt plugin with jwt.sign", True
    return "a token of a hand-written route", True


def _object(segment: str) -> dict[str, Any]:
    """Read a base64url segment as a JSON object, leniently; an empty one where it is none."""
    try:
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
