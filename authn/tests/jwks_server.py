"""An issuer with key pairs, as Better Auth is one: signs tokens and publishes its public keys."""

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
    """Make an RSA key, once for each name: that takes its time."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class KeyPair:
    """A key pair of an issuer's.

    Args:
        alg: what it signs with.
        kid: its name.
        private: the key.
    """

    alg: str
    kid: str
    private: Any

    def jwk(self, **changed: Any) -> Jwk:
        """Return the public key as a key set has it, with these members changed."""
        public = self.private.public_key()
        return {**_to_jwk(public), "alg": self.alg, "kid": self.kid, **changed}

    def private_jwk(self) -> Jwk:
        """Return what nobody should publish."""
        return {**_to_jwk(self.private), "alg": self.alg, "kid": self.kid}

    @property
    def header(self) -> dict[str, Any]:
        """Return the header of its tokens, as Better Auth writes it."""
        return {"alg": self.alg, "kid": self.kid}

    def sign(self, payload: Any = None, header: Any = None, *, algorithm: str = "") -> str:
        """Sign claims, by default those of a good token of alice's, under any header."""
        payload = good() if payload is None else payload
        signed = f"{segment(header or self.header)}.{segment(payload)}"
        signs = get_default_algorithms()[algorithm or self.alg]
        return f"{signed}.{segment(signs.sign(signed.encode(), self.private))}"


def _to_jwk(key: Any) -> Jwk:
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    return OKPAlgorithm.to_jwk(key, as_dict=True)


def key_pair(alg: str = "EdDSA", kid: str = "key-1") -> KeyPair:
    """Make a key pair for an algorithm."""
    if alg == "EdDSA":
        return KeyPair(alg, kid, ed25519.Ed25519PrivateKey.generate())
    if alg == "ES256":
        return KeyPair(alg, kid, ec.generate_private_key(ec.SECP256R1()))
    return KeyPair(alg, kid, rsa_key(name=kid))


def good(**changed: Any) -> dict[str, Any]:
    """Return the claims of a good token of alice's from this issuer, with these changed."""
    return claims(**{"iss": ISSUER, "aud": ISSUER, **changed})


@dataclass
class Issuer:
    """What it publishes, how, and how often it was asked.

    Args:
        keys: the members of its key set.
        raw: what it sends instead of an HTTP answer.
        body: what it answers instead of a key set.
        status: of its answer.
        headers: more headers of its answer.
        is_open: answers wait until this is set;
        drips: and send a blank every now and then meanwhile, so that no read takes long;
        drips_headers: or a part of a header that does not end.
        asked: the headers of each fetch;
        is_asked: set by each.
        url: where its key set is.
    """

    keys: Sequence[Any] = ()
    raw: bytes = b""
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    is_open: threading.Event = field(default_factory=threading.Event)
    drips: bool = False
    drips_headers: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    is_asked: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def publish(self, *pairs: KeyPair) -> None:
        """Publish these keys and no others."""
        self.keys = [pair.jwk() for pair in pairs]

    def answer(self) -> bytes:
        """Return the body of an answer."""
        return json.dumps({"keys": self.keys}).encode() if self.body is None else self.body

    @property
    def fetches(self) -> int:
        """How often it was asked."""
        return len(self.asked)


@contextmanager
def publishing(issuer: Issuer) -> Iterator[Issuer]:
    """Let an issuer answer on a port of the loopback interface until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_open = issuer.is_open  # a test may close the next answer, and leave this one be
            issuer.asked.append(dict(self.headers))
            issuer.is_asked.set()
            if issuer.raw:
                self.wfile.write(issuer.raw)
                return
            self.send_response(issuer.status)
            for name, value in issuer.headers.items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # whoever asked may have hung up
                if issuer.drips_headers:
                    self.flush_headers()
                    self.wfile.write(b"X-Slow: ")
                    self.drip(b"x", is_open)
                    self.wfile.write(b"\r\n")
                self.end_headers()
                self.drip(b" " * issuer.drips, is_open)
                self.wfile.write(issuer.answer())

        def drip(self, drop: bytes, is_open: threading.Event) -> None:
            """Send a little at a time."""
            while not is_open.wait(0.01):
                self.wfile.write(drop)

        def log_message(self, *args: Any) -> None:
            """Be silent."""

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
            settle()


def settle() -> None:
    """Wait for the fetches that are under way."""
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(60)
            assert not thread.is_alive(), "a fetch does not end"


def fresh_verifier(issuer: Issuer, *keys: Any) -> TokenVerifier:
    """Publish these members of a key set; return a verifier, which fetches them when it must."""
    issuer.keys = keys or issuer.keys
    return TokenVerifier([SECRET], keys=KeySet(issuer.url, ISSUER, ISSUER))


def made_up(number: int = 0) -> str:
    """Sign a token with a key that nobody has published."""
    return key_pair(kid=f"made-up-{number}").sign()
