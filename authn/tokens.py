"""Whose token is this? Signature, algorithm, times, issuer, audience, user. Knows nothing of HTTP.

PyJWT judges the keys. The claims are read here and not by PyJWT or simplejwt's
``TokenBackend``, because those have one leeway for ``exp``, ``iat`` and ``nbf`` (an expiry must be
exact), refuse an integer ``sub``, take ``"exp": "1"`` for a number, let a number that no clock can
hold end in an ``OverflowError``, and read repeated names and UTF-16.
"""

import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NoReturn, Protocol

from jwt.algorithms import HMACAlgorithm
from jwt.utils import base64url_decode, base64url_encode

from authn.secrets import MIN_SECRET_BYTES

ALGORITHMS = ["HS256"]
HMAC = HMACAlgorithm(HMACAlgorithm.SHA256)
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
MAX_EXP_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z
CLOCK_SKEW_SECONDS = 60
MAX_USER_ID_LENGTH = 255
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL and lone surrogates
# RFC 7515 §4.1.11 and RFC 7797: what they announce must be understood, and nothing here is.
CRITICAL_HEADERS = frozenset({"crit", "b64"})


class TokenError(Exception):
    """A token is refused.

    Args:
        reason: a stable code for the log; it holds nothing of the token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidTokenError(TokenError):
    """It is not a token of ours: malformed, wrongly signed, not yet valid, for somebody else."""


class ExpiredTokenError(TokenError):
    """It was one of ours, and its time is over."""


class NoUserError(TokenError):
    """It is valid, and names no user."""


class KeysUnavailableError(TokenError):
    """The issuer's public keys cannot be fetched, and none that is known fits."""


class KeyPairs(Protocol):
    """Verifies tokens that are signed with the issuer's key pairs: ``authn.jwks``."""

    algorithms: ClassVar[Sequence[str]]
    issuer: str
    audience: str

    def payload(self, token: str, header: Mapping[str, Any]) -> bytes:
        """Return the payload of a token whose signature verifies."""


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies tokens with a fixed set of secrets.

    Args:
        secrets: the accepted HS256 secrets, each of 32 bytes or more in UTF-8; a token may be
            signed with any of them, so that a secret can be replaced without signing anybody out.
        issuer: what ``iss`` must be, compared without a trailing slash; ``""`` accepts any.
        audience: what ``aud`` must be or contain, compared likewise; ``""`` accepts any.
        keys: what verifies tokens of other algorithms; ``None`` accepts none of them.

    Raises:
        ValueError: a secret is too short. PyJWT would only warn, and fail on an empty one later.

    Source: docs/contract.md, "Who may come in"; FR-001, FR-002; RFC 7519; RFC 8725.
    """

    secrets: Sequence[str] = field(repr=False)
    issuer: str = ""
    audience: str = ""
    keys: "KeyPairs | None" = None
    _prepared: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if any(len(secret.encode()) < MIN_SECRET_BYTES for secret in self.secrets):
            raise ValueError(f"a secret is shorter than {MIN_SECRET_BYTES} bytes")
        # PyJWT's decode() looks each time whether the key is a public one: 11 of its 45 µs
        prepared = tuple(HMAC.prepare_key(secret) for secret in self.secrets)
        object.__setattr__(self, "_prepared", prepared)

    def claims(self, token: str) -> Mapping[str, Any]:
        """Verify a token and return its claims.

        Args:
            token: a JWS in compact form, three unpadded base64url segments.

        Returns:
            The claims, names unique, ``exp`` an integer that lies ahead.

        Raises:
            InvalidTokenError: it is not one of ours, or not yet valid.
            ExpiredTokenError: its ``exp`` has come.
            KeysUnavailableError: whether it is one of ours cannot be told now.
        """
        claims, issuer, audience = self._verified(token)
        now = time.time()
        expiry = claims.get("exp")
        if type(expiry) is not int or not 0 <= expiry <= MAX_EXP_SECONDS:
            raise InvalidTokenError("bad_expiry")
        _check_begun(claims, now)
        _check_parties(claims, issuer, audience)
        if expiry <= now:
            raise ExpiredTokenError("expired")
        return claims

    def _verified(self, token: str) -> tuple[dict[str, Any], str, str]:
        """Return the claims of a signed token, and the issuer and audience that they must have."""
        if not COMPACT_JWS.fullmatch(token):
            raise InvalidTokenError("malformed")
        signed, _, signature = token.rpartition(".")
        header_segment, _, payload_segment = signed.partition(".")
        header = _header(header_segment)
        if self.keys is not None and header.get("alg") in self.keys.algorithms:
            payload = self.keys.payload(token, header)
            return _strict_object(payload), self.keys.issuer, self.keys.audience
        if header.get("alg") not in ALGORITHMS:
            raise InvalidTokenError("wrong_algorithm")
        if not isinstance(header.get("kid", ""), str):  # RFC 7515 §4.1.4
            raise InvalidTokenError("malformed")
        self._check_hmac(signed.encode(), signature.encode())
        return _strict_object(_decoded(payload_segment)), self.issuer, self.audience

    def _check_hmac(self, signed: bytes, signature: bytes) -> None:
        """Compare signatures as they are written, so that each has one form."""
        for key in self._prepared:
            made = hmac.digest(key, signed, "sha256")  # PyJWT takes 4 µs more for it
            if hmac.compare_digest(base64url_encode(made), signature):
                return
        raise InvalidTokenError("wrong_signature")


def user_id(claims: Mapping[str, Any]) -> str:
    """Name the user whom the claims of a verified token stand for.

    Args:
        claims: the claims; ``sub``, else ``user_id``, else ``user.id`` decides, ``null`` counting
            as absent. No other claim ever names a user: Better Auth signs its e-mail links with the
            same secret, and those carry ``email`` and ``userId``.

    Returns:
        A string of 1 to 255 characters without NUL and lone surrogates.

    Raises:
        NoUserError: none of the three is present, or the first that is cannot be a user's id.

    Source: docs/contract.md, "Who may come in"; FR-002.
    """
    user = claims.get("user")
    named = (
        claims.get("sub"),
        claims.get("user_id"),
        user.get("id") if isinstance(user, dict) else None,
    )
    found = next((value for value in named if value is not None), None)
    if type(found) is int:
        found = str(found)
    if not isinstance(found, str) or not 0 < len(found) <= MAX_USER_ID_LENGTH:
        raise NoUserError("no_user")
    if UNSTORABLE.search(found):
        raise NoUserError("no_user")
    return found


@lru_cache(maxsize=64)  # an issuer writes the same header into all its tokens
def _header(segment: str) -> Mapping[str, Any]:
    """Read a token's header. PyJWT reads it too, but takes UTF-16, and the last of equal names."""
    header = _strict_object(_decoded(segment))
    if CRITICAL_HEADERS & header.keys():
        raise InvalidTokenError("critical_header")
    return header


def _decoded(segment: str) -> bytes:
    """Decode base64url, of which each text has one form: PyJWT's function takes others too."""
    try:
        data = base64url_decode(segment)
    except ValueError:
        raise InvalidTokenError("malformed") from None
    if base64url_encode(data) != segment.encode():
        raise InvalidTokenError("malformed")
    return data


def _check_parties(claims: Mapping[str, Any], issuer: str, audience: str) -> None:
    """Refuse a token that somebody else made, or made for somebody else."""
    if issuer and not _same(claims.get("iss"), issuer):
        raise InvalidTokenError("wrong_issuer")
    audiences = claims.get("aud")
    if not isinstance(audiences, list):
        audiences = [audiences]
    if audience and not any(_same(claim, audience) for claim in audiences):
        raise InvalidTokenError("wrong_audience")


def _check_begun(claims: Mapping[str, Any], now: float) -> None:
    """Refuse a token from the future, allowing for two machines' clocks."""
    for name in ("iat", "nbf"):
        moment = claims.get(name)
        if moment is None:
            continue
        if type(moment) not in (int, float):
            raise InvalidTokenError(f"bad_{name}")
        if moment > now + CLOCK_SKEW_SECONDS:
            raise InvalidTokenError("not_yet_valid")


def _same(claim: object, expected: str) -> bool:
    return isinstance(claim, str) and claim.rstrip("/") == expected.rstrip("/")


def _strict_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object: UTF-8, unique names, no ``NaN``."""
    try:
        value = STRICT_JSON.decode(data.decode())
    except (ValueError, RecursionError):
        raise InvalidTokenError("malformed") from None
    if not isinstance(value, dict):
        raise InvalidTokenError("malformed")
    return value


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name is repeated")
    return names


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# made once: json.loads() makes a decoder at each call that has a hook
STRICT_JSON = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_refuse_constant)
