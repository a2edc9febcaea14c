"""Which of Better Auth's tokens is this? For the doctor: nothing here decides who may come in."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

USE = (
    "Send a token for the API instead: README, Wiring Better Auth, has both recipes (the jwt plugin"
    " with jwt.sign, or a route of your own)."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a token is, judged by its looks alone.

    Args:
        name: what it is, in plain words.
        advice: what to do where the API refuses it; empty where it is meant for the API.
        algorithm: what its header says it is signed with; empty where it has none.
        claims: what it says, unverified; empty where that cannot be read.
    """

    name: str
    advice: str = ""
    algorithm: str = ""
    claims: dict[str, Any] | None = None


def kind_of(token: str) -> Kind:
    """Tell which of Better Auth's tokens this looks like.

    Args:
        token: whatever somebody took for a token.

    Source: Better Auth 1.7.25, measured.
    """
    segments = token.split(".")
    match len(segments):
        case 3:
            return _jwt(segments)
        case 5:
            return Kind("Better Auth's session cookie, encrypted (cookieCache strategy jwe)", USE)
        case 2:
            return Kind("Better Auth's session token (cookie session_token, bearer plugin)", USE)
        case 1 if _object(token).keys() >= {"session", "signature"}:
            return Kind("Better Auth's session cookie, compact (cookieCache strategy compact)", USE)
        case 1 if re.fullmatch(r"[A-Za-z0-9]{32}", token):
            return Kind("a bare session token of Better Auth, or a user's id", USE)
    return Kind("none of Better Auth's tokens", USE)


def _jwt(segments: list[str]) -> Kind:
    header, claims = _object(segments[0]), _object(segments[1])
    if not header:
        return Kind("none of Better Auth's tokens: its header is not JSON", USE)
    algorithm = str(header.get("alg", ""))
    name, advice = _name(header, claims, algorithm)
    return Kind(name, advice, algorithm, claims)


def _name(header: dict[str, Any], claims: dict[str, Any], algorithm: str) -> tuple[str, str]:
    if header.get("typ") == "better-auth.session-cache+jwt":
        return "Better Auth's session cookie, signed with its key pair (sessionCookieCache)", USE
    if algorithm != "HS256":
        return (
            f"a token of Better Auth's jwt plugin as it comes, signed {algorithm} with a key pair",
            "Give the plugin a jwt.sign that signs HS256 (README, Wiring Better Auth), or set"
            " BETTER_AUTH_JWKS_URL here so that its public keys are fetched.",
        )
    if "sub" not in claims and claims.keys() & {"userId", "requestType", "updateTo"}:
        return "a link from an e-mail of Better Auth (verification, change of address)", USE
    if "sub" not in claims and "session" in claims:
        return "Better Auth's session cookie as a JWT (cookieCache strategy jwt)", ""
    if "iss" in claims:
        return "a token of Better Auth's jwt plugin with jwt.sign", ""
    return "a token of a hand-written route", ""


def _object(segment: str) -> dict[str, Any]:
    """Read a base64url segment as a JSON object, leniently; an empty one where it is none."""
    try:
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
