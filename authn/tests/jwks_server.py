"""An issuer like Better Auth: it signs tokens with private keys and publishes the public keys."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

from authn.jwks import KeySet
from authn.tests.forge import claims, segment
from authn.tokens import TokenVerifier
from conftest import SECRET

ISSUER = "https://app.example.com"
KEY_PAIRS = ["EdDSA", "ES256", "RS256"]

Jwk = dict[str, Any]


@cache
def rsa_key(bits: int = 2048, name: str = "") -> rsa.RSAPrivateKey:
    """Return an RSA key, cached by size and name because generating one is slow."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class KeyPair:
    """An issuer's key pair.

    Args:
        alg: the JWS algorithm.
        kid: the key id.
        private: the private key.
    """

    alg: str
    kid: str
    private: Any

    def jwk(self, **changed: Any) -> Jwk:
        """Return the public key as a member of a key set, with changes."""
        public = self.private.public_key()
        return {**_to_jwk(public), "alg": self.alg, "kid": self.kid, **changed}

    def private_jwk(self) -> Jwk:
        """Return the private key as a member of a key set. Real issuers must never publish it."""
        return {**_to_jwk(self.private), "alg": self.alg, "kid": self.kid}

    @property
    def header(self) -> dict[str, Any]:
        """The header of a token that Better Auth signs with this key."""
        return {"alg": self.alg, "kid": self.kid}

    def sign(self, payload: Any = None, header: Any = None, *, algorithm: str = "") -> str:
        """Sign a payload, by default the claims of a valid token for alice, under any header."""
        payload = issuer_claims() if payload is None else payload
        signed = f"{segment(header or self.header)}.{segment(payload)}"
        signer = get_default_algorithms()[algorithm or self.alg]
        return f"{signed}.{segment(signer.sign(signed.encode(), self.private))}"


def _to_jwk(key: Any) -> Jwk:
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    return OKPAlgorithm.to_jwk(key, as_dict=True)


def key_pair(alg: str = "EdDSA", kid: str = "key-1") -> KeyPair:
    """Return a key pair for an algorithm; RSA keys are cached by ``kid``."""
    if alg == "EdDSA":
        return KeyPair(alg, kid, ed25519.Ed25519PrivateKey.generate())
    if alg == "ES256":
        return KeyPair(alg, kid, ec.generate_private_key(ec.SECP256R1()))
    return KeyPair(alg, kid, rsa_key(name=kid))


def issuer_claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a valid token for alice from this issuer, with changes."""
    return claims(**{"iss": ISSUER, "aud": ISSUER, **changed})


@dataclass
class Issuer:
    """An issuer's responses, and the requests that it has received.

    Args:
        keys: the members of the key set.
        raw: bytes to send instead of an HTTP response.
        body: the body to send instead of a key set.
        status: the status of the response.
        headers: additional response headers.
        is_open: the event that releases delayed responses.
        drips: whether to send spaces while delayed, so that no read times out.
        drips_headers: whether to send an endless header while delayed.
        requests: the headers of each request.
        has_request: the event that each request sets.
        url: the URL of the key set.
    """

    keys: Sequence[Any] = ()
    raw: bytes = b""
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    is_open: threading.Event = field(default_factory=threading.Event)
    drips: bool = False
    drips_headers: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    has_request: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def publish(self, *pairs: KeyPair) -> None:
        """Publish exactly these keys."""
        self.keys = [pair.jwk() for pair in pairs]

    def response_body(self) -> bytes:
        """Return the body of a response."""
        return json.dumps({"keys": self.keys}).encode() if self.body is None else self.body

    @property
    def fetches(self) -> int:
        """The number of requests so far."""
        return len(self.requests)


@contextmanager
def publishing(issuer: Issuer) -> Iterator[Issuer]:
    """Serve an issuer's key set on the loopback interface until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_open = issuer.is_open  # a test may replace the event for the next request
            issuer.requests.append(dict(self.headers))
            issuer.has_request.set()
            if issuer.raw:
                self.wfile.write(issuer.raw)
                return
            self.send_response(issuer.status)
            for name, value in issuer.headers.items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # the client may have disconnected
                if issuer.drips_headers:
                    self.flush_headers()
                    self.wfile.write(b"X-Slow: ")
                    self.drip(b"x", is_open)
                    self.wfile.write(b"\r\n")
                self.end_headers()
                self.drip(b" " * issuer.drips, is_open)
                self.wfile.write(issuer.response_body())

        def drip(self, drop: bytes, is_open: threading.Event) -> None:
            """Send the bytes repeatedly until the event is set."""
            while not is_open.wait(0.01):
                self.wfile.write(drop)

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    issuer.is_open.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}/api/auth/jwks"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            issuer.is_open.set()
            server.shutdown()
            thread.join()
            wait_for_fetches()


def wait_for_fetches() -> None:
    """Wait until all fetches have ended."""
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(60)
            assert not thread.is_alive(), "a fetch did not end"


def fresh_verifier(issuer: Issuer, *keys: Any) -> TokenVerifier:
    """Publish keys, if any are given, and return a verifier that has not fetched them yet."""
    issuer.keys = keys or issuer.keys
    return TokenVerifier([SECRET], keys=KeySet(issuer.url, ISSUER, ISSUER))


def unknown_key_token(number: int = 0) -> str:
    """Sign a token with a key that the issuer does not publish."""
    return key_pair(kid=f"unknown-{number}").sign()
