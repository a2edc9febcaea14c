"""Verifies tokens with the issuer's public keys. Imported only if ``BETTER_AUTH_JWKS_URL`` is set.

PyJWT parses the keys and verifies signatures. ``PyJWKClient`` is not used: it makes every request
wait for a slow issuer, retries an unavailable issuer for every token, and discards expired keys
even while the issuer is down.
"""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

from jwt import PyJWK, PyJWKSet, PyJWKSetError, PyJWS, PyJWTError

from authn.tokens import InvalidTokenError, UnverifiableError

logger = logging.getLogger(__name__)

# The algorithms of Better Auth's jwt plugin and of Neon Auth. HS256 must never be one of them, or
# a public key could be used as an HMAC secret.
ALGORITHMS = ["EdDSA", "ES256", "RS256"]
FETCH_TIMEOUT_SECONDS = 3.0
MAX_KEY_SET_BYTES = 256 * 1024
LIFESPAN_SECONDS = 300.0
# The minimum time between fetches for unknown keys, and after a failed fetch. It must
# exceed FETCH_TIMEOUT_SECONDS, or fetches could overlap.
COOLDOWN_SECONDS = 10.0
# The maximum number of requests that wait for a fetch other than the process's first. The
# remaining threads stay free for other requests.
MAX_WAITING = 4
NEVER = float("-inf")
# The maximum number of key ids that are remembered; the oldest are forgotten first.
MAX_REMEMBERED_KEYS = 1024

# RFC 7518 §3.3 requires RSA keys of 2048 bits or more; by default PyJWT only warns.
JWS = PyJWS(ALGORITHMS, {"enforce_minimum_key_length": True})


class KeySet:
    """The issuer's public keys.

    Each fetch runs in a background thread; a request with a known key never waits for one.

    Args:
        url: the URL of the key set, such as ``https://app.example.com/api/auth/jwks``.
        issuer: the required ``iss`` claim.
        audience: the required ``aud`` claim.

    Source: RFC 7517; RFC 8725 §3.1.
    """

    algorithms: Sequence[str] = ALGORITHMS

    def __init__(self, url: str, issuer: str, audience: str) -> None:
        self.url = url
        self.issuer = issuer
        self.audience = audience
        # The keys, and the number of the fetch that returned them; replaced together
        self._published: tuple[Mapping[str, PyJWK], int] = ({}, 0)
        self._fetches_started = 0
        # By the hash of a kid, which may be long: how many fetches had begun before its first use
        self._first_uses: dict[int, int] = {}
        self._fetched_at = NEVER
        self._fetch_started_at = NEVER
        self._cooldown_ends_at = NEVER
        self._is_unavailable = False
        self._fetch_thread = threading.Thread()
        self._lock = threading.Lock()
        self._waiting_slots = threading.Semaphore(MAX_WAITING)

    def payload(self, token: str, header: Mapping[str, Any]) -> bytes:
        """Verify a token's signature and return its payload.

        Args:
            token: a JWS in compact form.
            header: the token's parsed header.

        Raises:
            InvalidTokenError: the ``typ`` is wrong, the issuer publishes no key with this ``kid``,
                or the algorithm or signature does not match the key.
            UnverifiableError: the key is unknown and cannot be fetched now. It may have been
                published since the last fetch began.
        """
        kid, typ = header.get("kid"), header.get("typ")
        if typ is not None and typ != "JWT":  # such as the session cookie
            raise InvalidTokenError("wrong_type")
        if not isinstance(kid, str) or not kid:
            raise InvalidTokenError("unknown_key")
        key = self._key(kid)
        if key.algorithm_name != header["alg"]:  # the key determines the algorithm
            raise InvalidTokenError("wrong_algorithm")
        try:
            payload: bytes = JWS.decode(token, key)
        except PyJWTError:
            raise InvalidTokenError("wrong_signature") from None
        return payload

    def _key(self, kid: str) -> PyJWK:
        keys, _ = self._published
        if kid in keys:
            if self._is_stale():
                self._start_fetch(kid)
            return keys[kid]
        thread = self._start_fetch(kid)
        self._wait(thread)
        is_fetching = thread.is_alive()  # before its keys are read: it may end in between
        keys, number = self._published
        if kid in keys:
            return keys[kid]
        if is_fetching or self._is_unavailable or number <= self._first_uses.get(hash(kid), number):
            raise UnverifiableError("jwks_unavailable")
        raise InvalidTokenError("unknown_key")

    def _wait(self, thread: threading.Thread) -> None:
        """Wait until a fetch ends or times out; after the first fetch, only if a slot is free."""
        seconds = max(self._fetch_started_at + FETCH_TIMEOUT_SECONDS - monotonic(), 0.0)
        if self._fetched_at == NEVER and not self._is_unavailable:  # every request needs the first
            thread.join(seconds)
        elif self._waiting_slots.acquire(blocking=False):
            thread.join(seconds)
            self._waiting_slots.release()

    def _is_stale(self) -> bool:
        return monotonic() - self._fetched_at > LIFESPAN_SECONDS

    def _start_fetch(self, kid: str) -> threading.Thread:
        """Start a fetch if it is due and the cooldown is over; return the thread of the latest."""
        with self._lock:
            self._remember(kid)
            if monotonic() < self._cooldown_ends_at:
                return self._fetch_thread
            is_stale = self._is_stale()
            keys, _ = self._published
            if is_stale or kid not in keys:  # another thread may have just fetched the key
                if self._fetch_thread.is_alive():  # the timeout is per read, not per response
                    logger.warning(
                        "BETTER_AUTH_JWKS_URL returned no keys: the response did not end in time"
                    )
                    self._is_unavailable = True
                self._fetch_started_at = monotonic()
                self._cooldown_ends_at = self._fetch_started_at + COOLDOWN_SECONDS
                for each in keys:  # this fetch shows whether it has been withdrawn
                    self._remember(each)
                self._fetches_started += 1
                self._fetch_thread = threading.Thread(
                    target=self._fetch,
                    args=(self._fetches_started, is_stale),
                    name="jwks",
                    daemon=True,
                )
                self._fetch_thread.start()
            return self._fetch_thread

    def _remember(self, kid: str) -> None:
        """Remember the first use of a key: only a later fetch can show that it is not published."""
        self._first_uses.setdefault(hash(kid), self._fetches_started)
        if len(self._first_uses) > MAX_REMEMBERED_KEYS:
            del self._first_uses[next(iter(self._first_uses))]

    def _fetch(self, number: int, is_stale: bool) -> None:
        """Replace the keys with those that the issuer now publishes; keep them if the fetch fails.

        Args:
            number: the number of this fetch, from 1.
            is_stale: whether the keys had outlived ``LIFESPAN_SECONDS``. If so, success ends the
                cooldown, so that an unknown key can be fetched at once.
        """
        keys: list[PyJWK] | None = None
        try:
            keys = _fetch_keys(self.url)
        except PyJWKSetError:  # no usable key: the issuer has withdrawn them all
            keys = []
            logger.warning("There is no key for %s at BETTER_AUTH_JWKS_URL", ", ".join(ALGORITHMS))
        except (PyJWTError, HTTPException, OSError, ValueError, RecursionError) as error:
            logger.warning("BETTER_AUTH_JWKS_URL returned no keys: %a", str(error))
        if self._fetch_thread is not threading.current_thread():
            return  # this fetch timed out, and another has been started since
        self._is_unavailable = keys is None
        if keys is None:
            return
        self._published = {str(key.key_id): key for key in keys}, number
        self._fetched_at = monotonic()
        if is_stale:
            self._cooldown_ends_at = NEVER


def _fetch_keys(url: str) -> list[PyJWK]:
    """Fetch a key set and return its usable keys.

    Raises:
        PyJWKSetError: the key set has no usable key.
        ValueError: the response is too long, too slow or not a key set.
        OSError, HTTPException: the request failed.
    """
    opener = build_opener(_NoRedirectHandler)
    opener.addheaders = [("User-Agent", "todo-api")]  # some firewalls block Python-urllib
    deadline = monotonic() + FETCH_TIMEOUT_SECONDS
    body = b""
    try:
        response = opener.open(url, timeout=FETCH_TIMEOUT_SECONDS)
    except HTTPError as error:
        error.close()  # it holds the connection, and Python 3.14 warns of it
        raise
    with response:
        while part := response.read1():
            body += part
            if len(body) > MAX_KEY_SET_BYTES or monotonic() > deadline:
                raise ValueError("the response is too long or too slow")
    key_set = json.loads(body)
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(keys, list):
        raise ValueError("the response is not a key set")
    return PyJWKSet([key for key in keys if _is_usable(key)]).keys


class _NoRedirectHandler(HTTPRedirectHandler):
    """Makes a redirect an error: keys must come from the configured URL."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return ``None``, which makes urllib raise an error for the redirect."""


def _is_usable(key: Any) -> bool:
    """Return whether a member of a key set claims to be a public key for one of the algorithms.

    ``PyJWKSet`` skips malformed keys later. A key that is published with its private part is
    refused here: anyone could sign with it, yet PyJWT would accept it.
    """
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key["kid"] != ""
        and key.get("kty") in ("OKP", "EC", "RSA")
        and key.get("alg") in (None, *ALGORITHMS)
        and key.get("use") in (None, "sig")
        and "d" not in key
    )
