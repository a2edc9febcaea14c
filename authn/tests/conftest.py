"""Fixtures: an issuer that publishes its public key, a clock for the key set, and sessions."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django.fixtures import Settings

from authn.tests.jwks_server import Issuer, KeyPair, fresh_verifier, key_pair, publishing
from authn.tests.session_table import create_table
from authn.tokens import TokenVerifier


@dataclass
class Clock:
    """A monotonic clock that a test advances."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the clock of ``authn.jwks`` with one that only the test advances."""
    clock = Clock()
    monkeypatch.setattr("authn.jwks.monotonic", clock)
    return clock


@pytest.fixture
def pair() -> KeyPair:
    """Generate the issuer's key pair."""
    return key_pair()


@pytest.fixture
def issuer(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """Serve the public key, with a fetch timeout that suits a busy machine."""
    monkeypatch.setattr("authn.jwks.FETCH_TIMEOUT_SECONDS", 60.0)
    with publishing(Issuer([pair.jwk()])) as issuer:
        yield issuer


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    """Return a verifier that accepts tokens signed with the issuer's key or with the secret."""
    return fresh_verifier(issuer)


@pytest.fixture
def sessions(settings: Settings) -> None:
    """Accept session tokens, and create the table."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}
    create_table()
