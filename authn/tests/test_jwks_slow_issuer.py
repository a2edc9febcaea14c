"""A slow issuer must delay only a few requests, and only briefly."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from time import monotonic

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.forge import verdict
from authn.tests.jwks_server import Issuer, KeyPair, key_pair, unknown_key_token, wait_for_fetches
from authn.tokens import TokenVerifier

COOLDOWN, LIFESPAN = jwks.COOLDOWN_SECONDS, jwks.LIFESPAN_SECONDS
SHORTLY = 0.001


def test_a_token_with_a_known_key_does_not_wait_for_a_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """A slow issuer must not delay requests with a known key, even a stale one."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.is_open.clear()
    clock.now += LIFESPAN + SHORTLY

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(verdict, unknown_key_token(), verifier)
        known = [verdict(pair.sign(), verifier) for _ in range(20)]
        assert (set(known), waiting.done()) == ({"alice"}, False)
        issuer.is_open.set()

    assert (waiting.result(), issuer.fetches) == ("unknown_key", 2)


def test_few_requests_wait_for_a_slow_issuer_once_keys_are_known(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Tokens with unknown keys must not occupy all threads: valid tokens need some."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.is_open.clear()

    with ThreadPoolExecutor(12) as pool:
        futures = [
            pool.submit(verdict, unknown_key_token(number), verifier) for number in range(12)
        ]
        done = list(islice(as_completed(futures), 12 - jwks.MAX_WAITING))
        assert {future.result() for future in done} == {"jwks_unavailable"}
        assert sum(not future.done() for future in futures) == jwks.MAX_WAITING
        issuer.is_open.set()

    waited = [future.result() for future in futures if future not in done]
    # only the token that has started the fetch can be judged by it
    assert waited.count("jwks_unavailable") >= jwks.MAX_WAITING - 1
    assert (set(waited) <= {"unknown_key", "jwks_unavailable"}, issuer.fetches) == (True, 2)
    assert verdict(pair.sign(), verifier) == "alice"


def test_a_waiting_slot_is_released(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """Requests that have waited must free their slots."""
    assert verdict(pair.sign(), verifier) == "alice"

    for number in range(2 * jwks.MAX_WAITING):
        clock.now += COOLDOWN
        issuer.publish(new := key_pair(kid=f"key-{number}"))
        assert verdict(new.sign(), verifier) == "alice"


@pytest.mark.parametrize("drips", [True, False])
def test_an_endless_response_is_abandoned(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    drips: bool,
) -> None:
    """An endless response must not delay requests or later fetches, even if data keeps arriving."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(jwks, "COOLDOWN_SECONDS", 0.0)
    issuer.is_open.clear()
    issuer.drips = drips
    started = monotonic()
    assert verdict(pair.sign(), verifier) == "jwks_unavailable"
    assert monotonic() - started < 10
    wait_for_fetches()  # while the issuer is still sending
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)

    issuer.is_open.set()

    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 2)


def test_a_fetch_with_endless_headers_is_replaced_by_another(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The endless fetch must not prevent another, and its late result must be ignored."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.publish(pair, new := key_pair(kid="key-2"))
    clock.now += COOLDOWN
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 2.0)  # exceeds the time between bytes
    issuer.drips_headers = True
    issuer.is_open.clear()
    issuer.has_request.clear()
    assert verdict(new.sign(), verifier) == "jwks_unavailable"
    assert issuer.has_request.wait(60)

    endless, issuer.is_open = issuer.is_open, threading.Event()
    issuer.is_open.set()
    clock.now += COOLDOWN
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)
    assert verdict(new.sign(), verifier) == "alice"
    endless.set()
    wait_for_fetches()

    assert (
        "BETTER_AUTH_JWKS_URL returned no keys: the response did not end in time" in caplog.messages
    )
    assert (verdict(new.sign(), verifier), issuer.fetches) == ("alice", 3)
