"""Tokens signed with the issuer's key pairs. Used only where ``BETTER_AUTH_JWKS_URL`` is set.

PyJWT's client makes sense of the key set. When to fetch it is decided here: that client makes every
request wait for a slow issuer, asks one that is away again for each token, and forgets its keys
when they are old, though the issuer be away.
"""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from time import monotonic
from typing import Any, ClassVar
from urllib.request import HTTPRedirectHandler, build_opener

from jwt import PyJWK, PyJWKClient, PyJWKSetError, PyJWS, PyJWTError

from authn.tokens import InvalidTokenError, KeysUnavailableError

logger = logging.getLogger(__name__)

# What Better Auth's plugin and Neon Auth sign with. No HS256 among them, so that no public key can
# ever serve as the secret of an HMAC.
ALGORITHMS = ["EdDSA", "ES256", "RS256"]
FETCH_TIMEOUT_SECONDS = 3.0
MAX_KEY_SET_BYTES = 256 * 1024
LIFESPAN_SECONDS = 300.0
# At most one fetch in this time for keys that are not in the set, or from an issuer that is away.
# Longer than the time that a fetch has, or several could be under way.
COOLDOWN_SECONDS = 10.0
# How many requests wait for a fetch at once, in a process that has had an answer: the others need
# its threads.
MAX_WAITING = 4
NEVER = float("-inf")

# RFC 7518 §3.3: an RSA key of 2048 bits or more. PyJWT alone would only warn.
JWS = PyJWS(ALGORITHMS, {"enforce_minimum_key_length": True})


@dataclass(slots=True)
class KeySet:
    """The issuer's public keys, fetched in a thread that nobody waits for who has a known key.

    Args:
        url: where they are published, ``https://app.example.com/api/auth/jwks``.
        issuer, audience: what ``iss`` and ``aud`` of every token must be.

    Source: RFC 7517; RFC 8725 §3.1; issue "Real Better Auth", JWKS.
    """

    url: str
    issuer: str
    audience: str
    algorithms: ClassVar[Sequence[str]] = ALGORITHMS
    _keys: Mapping[str, PyJWK] = field(default_factory=dict, init=False)
    _fetched_at: float = field(default=NEVER, init=False)
    _asked_at: float = field(default=NEVER, init=False)
    _quiet_until: float = field(default=NEVER, init=False)
    _is_away: bool = field(default=False, init=False)
    _fetcher: threading.Thread = field(default_factory=threading.Thread, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _places: threading.Semaphore = field(
        default_factory=partial(threading.Semaphore, MAX_WAITING), init=False
    )

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
            payload: bytes = JWS.decode(token, key)
        except PyJWTError:
            raise InvalidTokenError("wrong_signature") from None
        return payload

    def _key(self, kid: str) -> PyJWK:
        key = self._keys.get(kid)
        if key is not None:
            if self._is_old():
                self._refresh(kid)
            return key
        fetcher = self._refresh(kid)
        self._wait(fetcher)
        key = self._keys.get(kid)
        if key is not None:
            return key
        if fetcher.is_alive() or self._is_away:
            raise KeysUnavailableError("jwks_unavailable")
        raise InvalidTokenError("unknown_key")

    def _wait(self, fetcher: threading.Thread) -> None:
        """Wait for a fetch as long as it has time, where a place is left to wait at."""
        seconds = max(self._asked_at + FETCH_TIMEOUT_SECONDS - monotonic(), 0.0)
        if self._fetched_at == NEVER and not self._is_away:  # the first one: all need it
            fetcher.join(seconds)
        elif self._places.acquire(blocking=False):
            fetcher.join(seconds)
            self._places.release()

    def _is_old(self) -> bool:
        return monotonic() - self._fetched_at > LIFESPAN_SECONDS

    def _refresh(self, kid: str) -> threading.Thread:
        """Start a fetch, unless one is under way or has just been in vain; return the last one."""
        with self._lock:
            if monotonic() < self._quiet_until:
                return self._fetcher
            due = self._is_old()
            if due or kid not in self._keys:  # the last fetch may have just brought it
                if self._fetcher.is_alive():  # each read has a time-out, and the headers are many
                    logger.warning("BETTER_AUTH_JWKS_URL gives no keys: it does not end its answer")
                    self._is_away = True
                self._asked_at = monotonic()
                self._quiet_until = self._asked_at + COOLDOWN_SECONDS
                self._fetcher = threading.Thread(
                    target=self._fetch, args=(due,), name="jwks", daemon=True
                )
                self._fetcher.start()
            return self._fetcher

    def _fetch(self, due: bool) -> None:
        """Fetch the keys.

        Args:
            due: whether it was time to. Otherwise a token named a key that is not in the set.
        """
        try:
            found = _Client(self.url, timeout=FETCH_TIMEOUT_SECONDS).get_signing_keys()
        except PyJWKSetError:  # no key in it is for these algorithms: all were taken back
            found = []
            logger.warning("There is no key for %s at BETTER_AUTH_JWKS_URL", ", ".join(ALGORITHMS))
        except (PyJWTError, HTTPException, OSError, ValueError, RecursionError) as error:
            found = None
            logger.warning("BETTER_AUTH_JWKS_URL gives no keys: %a", str(error))
        if self._fetcher is not threading.current_thread():
            return  # over its time: another has been sent since
        self._is_away = found is None
        if found is None:
            return
        self._keys = {str(key.key_id): key for key in found}
        self._fetched_at = monotonic()
        if due:
            self._quiet_until = NEVER


class _Client(PyJWKClient):
    """PyJWT's client, which by itself reads an answer of any length, for any time."""

    def fetch_data(self) -> dict[str, Any]:
        """Fetch the key set, and leave out what is no public key for these algorithms."""
        opener = build_opener(_NoRedirects)
        opener.addheaders = [("User-Agent", "todo-api")]  # some sites refuse urllib's own name
        end = monotonic() + self.timeout
        body = b""
        with opener.open(self.uri, timeout=self.timeout) as answer:
            while part := answer.read1():
                body += part
                if len(body) > MAX_KEY_SET_BYTES or monotonic() > end:
                    raise ValueError("its answer is too long")
        key_set = json.loads(body)
        keys = key_set.get("keys") if isinstance(key_set, dict) else None
        if not isinstance(keys, list):
            raise ValueError("its answer is no key set")
        return {"keys": [key for key in keys if _is_usable(key)]}


class _NoRedirects(HTTPRedirectHandler):
    """Takes a redirect for an error: the keys are those at the address that was configured."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none."""


def _is_usable(key: Any) -> bool:
    """Tell whether a member of a key set is a public key for signatures of these algorithms.

    One that is published with its private part is anybody's; PyJWT would not refuse it.
    """
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") in ("OKP", "EC", "RSA")
        and key.get("alg") in (None, *ALGORITHMS)
        and key.get("use") in (None, "sig")
        and "d" not in key
    )
