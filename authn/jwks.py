"""Tokens signed with the issuer's key pairs. Used only where ``BETTER_AUTH_JWKS_URL`` is set.

PyJWT's client fetches and reads the key set. When to fetch is decided here: that client forgets its
keys when they are old and the issuer is away, and asks an issuer that is away again for each token.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jwt import PyJWK, PyJWKClient, PyJWS, PyJWTError

from authn.tokens import InvalidTokenError, KeysUnavailableError

# What Better Auth's plugin and Neon Auth sign with. No HS256 among them, so that no public key can
# ever serve as the secret of an HMAC.
ALGORITHMS = ["EdDSA", "ES256", "RS256"]
FETCH_TIMEOUT_SECONDS = 3.0
LIFESPAN_SECONDS = 300.0
# At most one fetch in this time, whatever tokens come in and whether it succeeds.
COOLDOWN_SECONDS = 10.0

JWS = PyJWS(ALGORITHMS)


@dataclass(slots=True)
class KeySet:
    """The issuer's public keys.

    Args:
        url: where they are published, ``https://app.example.com/api/auth/jwks``.
        issuer, audience: what ``iss`` and ``aud`` of every token must be.

    Source: RFC 7517; issue "Real Better Auth", JWKS.
    """

    url: str
    issuer: str
    audience: str
    algorithms: ClassVar[Sequence[str]] = ALGORITHMS
    _keys: Mapping[str, PyJWK] = field(default_factory=dict, init=False)
    _fetched_at: float = field(default=float("-inf"), init=False)
    _tried_at: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def payload(self, token: str, header: Mapping[str, Any]) -> bytes:
        """Verify a token's signature and return its payload.

        Args:
            token: a JWS in compact form.
            header: its header, read strictly.

        Raises:
            InvalidTokenError: the signature is not one of the issuer's.
            KeysUnavailableError: whether it is cannot be told now.
        """
        kid, kind = header.get("kid"), header.get("typ")
        if kind is not None and kind != "JWT":  # such as the session cookie, which is no API token
            raise InvalidTokenError("wrong_type")
        if not isinstance(kid, str):
            raise InvalidTokenError("unknown_key")
        key = self._key(kid)
        if key.algorithm_name != header["alg"]:  # what a key is for, the key says
            raise InvalidTokenError("wrong_algorithm")
        try:
            payload: bytes = JWS.decode(token, key.key, [key.algorithm_name])
        except PyJWTError:
            raise InvalidTokenError("wrong_signature") from None
        return payload

    def _key(self, kid: str) -> PyJWK:
        key = self._keys.get(kid)
        if key is None or time.monotonic() - self._fetched_at > LIFESPAN_SECONDS:
            self._refresh(wait=key is None)
            key = self._keys.get(kid, key)
        if key is not None:
            return key
        if self._fetched_at < self._tried_at:
            raise KeysUnavailableError("jwks_unavailable")
        raise InvalidTokenError("unknown_key")

    def _refresh(self, *, wait: bool) -> None:
        """Fetch the keys, unless somebody has just tried to.

        Args:
            wait: whether to wait for somebody who is fetching them now; a token whose key is known
                but old need not.
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            now = time.monotonic()
            if now - self._tried_at < COOLDOWN_SECONDS:
                return
            self._tried_at = now
            client = PyJWKClient(self.url, cache_jwk_set=False, timeout=FETCH_TIMEOUT_SECONDS)
            found = client.get_signing_keys()
            self._keys = {key.key_id: key for key in found if key.key_id}
            self._fetched_at = now
        except (PyJWTError, OSError, ValueError):  # away, or what it says is no key set
            return
        finally:
            self._lock.release()
