"""Recognises the kinds of token that Better Auth issues. Only ``check_token`` uses this module."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SESSION_COOKIE_TYPE = "better-auth.session-cache+jwt"
OPAQUE = re.compile(r"[A-Za-z0-9]{32}")
KEY_PAIR_ALGORITHM = re.compile(r"(ES|RS|PS)(256|384|512)|EdDSA|Ed25519")


@dataclass(frozen=True, slots=True)
class TokenKind:
    """The kind of a token, inferred from its format and unverified content.

    Args:
        name: a description, which contains no part of the token.
        is_for_apis: whether tokens of this kind are meant for APIs. Other kinds cannot be fixed,
            only replaced.
        is_session: whether it is a session token, which the API accepts if it is configured to.
        algorithm: the claimed algorithm, or an empty string.
        claims: the unverified claims, or ``None`` if the format has no readable claims.
    """

    name: str
    is_for_apis: bool = False
    is_session: bool = False
    algorithm: str = ""
    claims: Mapping[str, Any] | None = None


def kind_of(token: str) -> TokenKind:
    """Return the kind of a token; any string is accepted.

    Source: tokens made by Better Auth 1.7.25.
    """
    segments = token.split(".")
    first = _parse_object(segments[0])
    match len(segments):
        case 3 if first:
            claims = _parse_object(segments[1])
            algorithm = str(first.get("alg", ""))
            name, is_for_apis = _jwt_name(first.get("typ"), claims, algorithm)
            return TokenKind(name, is_for_apis, algorithm=algorithm, claims=claims)
        case 5 if first:
            name = "Better Auth's encrypted session cookie (cookieCache strategy jwe)"
            return TokenKind(name, algorithm=str(first.get("enc", "")))
        case 2 if OPAQUE.fullmatch(segments[0]) and segments[1] and not first:
            name = "Better Auth's session token (cookie session_token, bearer plugin)"
            return TokenKind(name, is_session=True)
        case 1 if first.keys() >= {"session", "expiresAt", "signature"}:
            name = "Better Auth's compact session cookie (cookieCache strategy compact)"
            algorithm = "HMAC-SHA256, but not as a JWT"
            return TokenKind(name, algorithm=algorithm, claims=_compact_claims(first))
        case 1 if OPAQUE.fullmatch(token):
            name = "a Better Auth session token without its signature, or a user's id"
            return TokenKind(name, is_session=True)
    return TokenKind("not a Better Auth token, or only a part of one")


def _compact_claims(cookie: dict[str, Any]) -> dict[str, Any]:
    """Convert the content of a compact session cookie to JWT claims."""
    session, expires_at = cookie["session"], cookie["expiresAt"]
    return {
        "user": session.get("user") if isinstance(session, dict) else None,
        "exp": expires_at // 1000 if isinstance(expires_at, int) else None,  # milliseconds
    }


def _jwt_name(typ: object, claims: dict[str, Any], algorithm: str) -> tuple[str, bool]:
    if typ == SESSION_COOKIE_TYPE:
        return "Better Auth's session cookie, signed with a private key (sessionCookieCache)", False
    if KEY_PAIR_ALGORITHM.fullmatch(algorithm):
        return (
            "a token from Better Auth's jwt plugin without jwt.sign, signed with a private key",
            True,
        )
    if algorithm != "HS256":
        return "a JSON Web Token, but not Better Auth's", True
    if "sub" not in claims and claims.keys() & {"userId", "requestType", "updateTo"}:
        return "the token of a Better Auth e-mail link (verification, change of address)", False
    if "sub" not in claims and "session" in claims:
        return "Better Auth's session cookie as a JWT (cookieCache strategy jwt)", True
    if "iss" in claims:
        return "a token from Better Auth's jwt plugin with jwt.sign", True
    return "a token from a hand-written route", True


def _parse_object(segment: str) -> dict[str, Any]:
    """Decode a base64url segment that holds a JSON object. Return ``{}`` for anything else."""
    try:
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
