"""An issuer with key pairs, and a clock for what is kept of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from authn.tests.jwks_server import Issuer, KeyPair, fresh_verifier, key_pair, publishing
from authn.tokens import TokenVerifier


@dataclass
class Clock:
    """A monotonic clock that only a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock of the key sets."""
    stopped = Clock()
    monkeypatch.setattr("authn.jwks.monotonic", stopped)
    return stopped


@pytest.fixture
def pair() -> KeyPair:
    """Make the key pair that the issuer signs with."""
    return key_pair()


@pytest.fixture
def issuer(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """Publish its public key, with time enough for its answers on a busy machine."""
    monkeypatch.setattr("authn.jwks.FETCH_TIMEOUT_SECONDS", 60.0)
    with publishing(Issuer([pair.jwk()])) as answering:
        yield answering


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    """Verify tokens by that key, and by the secret."""
    return fresh_verifier(issuer)
