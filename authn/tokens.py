"""Token verification: signature, algorithm, times, issuer, audience and user. Independent of HTTP.

PyJWT validates the keys. The claims are validated here, because PyJWT and simplejwt's
``TokenBackend`` apply one leeway to ``exp``, ``iat`` and ``nbf`` (``exp`` must be exact), truncate
the fraction of ``exp``, refuse an integer ``sub``, accept ``"exp": "1"``, raise ``OverflowError``
for huge numbers, and accept duplicate names and UTF-16.

Source: docs/decisions/0001-pyjwt-not-token-backend.md.
"""

import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NoReturn, Protocol

from jwt.algorithms import HMACAlgorithm
from jwt.utils import base64url_decode, base64url_encode

from authn.secrets import MIN_SECRET_BYTES

ALGORITHMS = ["HS256"]
HMAC = HMACAlgorithm(HMACAlgorithm.SHA256)
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
MAX_EXP_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z
CLOCK_SKEW_SECONDS = 60
MAX_CACHED_TOKENS = 1024  # about 2 MB with usual tokens
MAX_CACHED_LENGTH = 2048  # of a token; a longer one is verified each time
USER_ID_MAX_LENGTH = 255
INVALID_USER_ID = f"A user id must have 1 to {USER_ID_MAX_LENGTH} characters, without NUL."
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL and lone surrogates
# Headers that announce extensions (RFC 7515 §4.1.11, RFC 7797); none is supported.
CRITICAL_HEADERS = frozenset({"crit", "b64"})


class TokenError(Exception):
    """The token is refused.

    Args:
        reason: a stable code for the log, which contains no part of the token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidTokenError(TokenError):
    """The token is not yet valid, or its format, algorithm, signature or claims are invalid."""


class ExpiredTokenError(TokenError):
    """The token has expired; its signature, issuer and audience are valid."""


class NoUserError(TokenError):
    """The token is valid but has no valid user id."""


class UnverifiableError(TokenError):
    """The issuer's public keys, or its table of sessions, are unavailable."""


class PublicKeys(Protocol):
    """The interface of ``authn.jwks.KeySet``, which is imported only if it is needed."""

    algorithms: Sequence[str]
    issuer: str
    audience: str

    def payload(self, token: str, header: Mapping[str, Any]) -> bytes:
        """Verify a token's signature and return its payload."""


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies tokens with fixed secrets and, optionally, an issuer's public keys.

    Args:
        secrets: the accepted HS256 secrets, each of 32 bytes or more in UTF-8. A token may be
            signed with any of them, so that a secret can be replaced without signing users out.
        issuer: the required ``iss`` of HS256 tokens, compared without trailing slashes; ``""``
            accepts any.
        audience: the required ``aud`` of HS256 tokens, compared the same way; ``""`` accepts any.
        keys: the public keys for tokens with other algorithms; ``None`` accepts HS256 only.

    Raises:
        ValueError: a secret is too short. PyJWT only warns, and fails later on an empty one.

    Source: docs/contract.md, "Authentication"; FR-001, FR-002; RFC 7519; RFC 8725.
    """

    secrets: Sequence[str] = field(repr=False)
    issuer: str = ""
    audience: str = ""
    keys: PublicKeys | None = None
    _hmac_keys: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if any(len(secret.encode()) < MIN_SECRET_BYTES for secret in self.secrets):
            raise ValueError(f"a secret is shorter than {MIN_SECRET_BYTES} bytes")
        # PyJWT's decode() prepares the key on every call, which takes 11 of its 45 µs
        hmac_keys = tuple(HMAC.prepare_key(secret) for secret in self.secrets)
        object.__setattr__(self, "_hmac_keys", hmac_keys)

    def claims(self, token: str) -> Mapping[str, Any]:
        """Verify a token and return its claims.

        Args:
            token: a JWS in compact form: three unpadded base64url segments.

        Returns:
            The claims. ``exp`` is a number in the future.

        Raises:
            InvalidTokenError: the token is invalid or not yet valid.
            ExpiredTokenError: the token has expired.
            UnverifiableError: the token's key is unknown and cannot be fetched now.
        """
        claims, issuer, audience = self._verify(token)
        now = time.time()
        expiry = claims.get("exp")
        if type(expiry) is bool or not isinstance(expiry, int | float):
            raise InvalidTokenError("bad_expiry")
        if not 0 <= expiry <= MAX_EXP_SECONDS:
            raise InvalidTokenError("bad_expiry")
        _check_not_in_future(claims, now)
        _check_issuer_and_audience(claims, issuer, audience)
        if expiry <= now:
            raise ExpiredTokenError("expired")
        return claims

    def _verify(self, token: str) -> tuple[Mapping[str, Any], str, str]:
        """Verify the signature. Return the claims, and the issuer and audience they must have."""
        if self.keys is not None and (header := _header(token)).get("alg") in self.keys.algorithms:
            payload = self.keys.payload(token, header)
            return _parse_object(payload), self.keys.issuer, self.keys.audience
        is_short = len(token) <= MAX_CACHED_LENGTH
        verify = _hmac_claims if is_short else _hmac_claims.__wrapped__
        return verify(token, self._hmac_keys), self.issuer, self.audience


def user_id(claims: Mapping[str, Any]) -> str:
    """Return the user id in the claims of a verified token.

    Args:
        claims: the claims. The first of ``sub``, ``user_id`` and ``user.id`` that is present and
            not ``null`` decides. No other claim may name a user: Better Auth signs its e-mail
            links with the same secret, and they have ``email`` and ``userId``.

    Returns:
        A string of 1 to 255 characters without NUL or lone surrogates.

    Raises:
        NoUserError: the three claims are absent, or the first present one is not a valid user id.

    Source: docs/contract.md, "Authentication"; FR-002.
    """
    user = claims.get("user")
    candidates = (
        claims.get("sub"),
        claims.get("user_id"),
        user.get("id") if isinstance(user, dict) else None,
    )
    value = next((each for each in candidates if each is not None), None)
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= USER_ID_MAX_LENGTH:
        raise NoUserError("no_user")
    if UNSTORABLE.search(value):
        raise NoUserError("no_user")
    return value


@lru_cache(maxsize=MAX_CACHED_TOKENS)  # does not cache exceptions: a refused token displaces none
def _hmac_claims(token: str, keys: tuple[bytes, ...]) -> Mapping[str, Any]:
    """Verify the signature of an HS256 token, and return its claims.

    A client sends its token many times. Whether it has expired is not cached.
    """
    header = _header(token)
    if header.get("alg") not in ALGORITHMS:
        raise InvalidTokenError("wrong_algorithm")
    if not isinstance(header.get("kid", ""), str):  # RFC 7515 §4.1.4
        raise InvalidTokenError("malformed")
    signed, _, signature = token.rpartition(".")
    _check_hmac(signed.encode(), signature.encode(), keys)
    return MappingProxyType(_parse_object(_decode(signed.partition(".")[2])))


def _check_hmac(signed: bytes, signature: bytes, keys: tuple[bytes, ...]) -> None:
    """Compare the encoded signatures, so that only one encoding is accepted."""
    for key in keys:
        digest = hmac.digest(key, signed, "sha256")  # 4 µs faster than PyJWT's sign()
        if hmac.compare_digest(base64url_encode(digest), signature):
            return
    raise InvalidTokenError("wrong_signature")


def _header(token: str) -> Mapping[str, Any]:
    if not COMPACT_JWS.fullmatch(token):
        raise InvalidTokenError("malformed")
    return _parse_header(token.partition(".")[0])


@lru_cache(maxsize=64)  # all tokens of an issuer have the same header
def _parse_header(segment: str) -> Mapping[str, Any]:
    header = _parse_object(_decode(segment))
    if CRITICAL_HEADERS & header.keys():
        raise InvalidTokenError("critical_header")
    return header


def _decode(segment: str) -> bytes:
    """Decode base64url. Refuse non-canonical encodings, which PyJWT accepts."""
    try:
        data = base64url_decode(segment)
    except ValueError:
        raise InvalidTokenError("malformed") from None
    if base64url_encode(data) != segment.encode():
        raise InvalidTokenError("malformed")
    return data


def _check_issuer_and_audience(claims: Mapping[str, Any], issuer: str, audience: str) -> None:
    if issuer and not _matches(claims.get("iss"), issuer):
        raise InvalidTokenError("wrong_issuer")
    audiences = claims.get("aud")
    if not isinstance(audiences, list):
        audiences = [audiences]
    if audience and not any(_matches(claim, audience) for claim in audiences):
        raise InvalidTokenError("wrong_audience")


def _check_not_in_future(claims: Mapping[str, Any], now: float) -> None:
    for name in ("iat", "nbf"):
        timestamp = claims.get(name)
        if timestamp is None:
            continue
        if type(timestamp) not in (int, float):
            raise InvalidTokenError(f"bad_{name}")
        if timestamp > now + CLOCK_SKEW_SECONDS:
            raise InvalidTokenError("not_yet_valid")


def _matches(claim: object, expected: str) -> bool:
    return isinstance(claim, str) and claim.rstrip("/") == expected.rstrip("/")


def _parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly: UTF-8, unique names, no ``NaN``."""
    try:
        value = STRICT_JSON.decode(data.decode())
    except (ValueError, RecursionError):
        raise InvalidTokenError("malformed") from None
    if not isinstance(value, dict):
        raise InvalidTokenError("malformed")
    return value


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate name")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# json.loads() creates a decoder on every call that passes a hook
STRICT_JSON = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_refuse_constant)
