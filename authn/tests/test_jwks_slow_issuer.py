"""An issuer that takes its time must hold up as few as can be, and not for long."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from time import monotonic

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.forge import verdict
from authn.tests.jwks_server import Issuer, KeyPair, key_pair, made_up, settle
from authn.tokens import TokenVerifier

COOLDOWN, LIFESPAN = jwks.COOLDOWN_SECONDS, jwks.LIFESPAN_SECONDS
SHORTLY = 0.001


def test_a_token_with_a_known_key_does_not_wait_for_a_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """A slow issuer must hold up nobody whose key is known, though it be old."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.is_open.clear()
    clock.now += LIFESPAN + SHORTLY

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(verdict, made_up(), verifier)
        known = [verdict(pair.sign(), verifier) for _ in range(20)]
        assert (set(known), waiting.done()) == ({"alice"}, False)
        issuer.is_open.set()

    assert (waiting.result(), issuer.fetches) == ("unknown_key", 2)


def test_a_slow_issuer_holds_up_few_requests_where_there_are_keys(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Made-up keys must not take up all threads: the others need them for good tokens."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.is_open.clear()

    with ThreadPoolExecutor(12) as pool:
        asking = [pool.submit(verdict, made_up(number), verifier) for number in range(12)]
        answered = list(islice(as_completed(asking), 12 - jwks.MAX_WAITING))
        assert {future.result() for future in answered} == {"jwks_unavailable"}
        assert sum(not future.done() for future in asking) == jwks.MAX_WAITING
        issuer.is_open.set()

    waited = [future.result() for future in asking if future not in answered]
    assert (set(waited), issuer.fetches) == ({"unknown_key"}, 2)
    assert verdict(pair.sign(), verifier) == "alice"


def test_those_that_have_waited_make_room_for_others(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """A place to wait at must be given back."""
    assert verdict(pair.sign(), verifier) == "alice"

    for number in range(2 * jwks.MAX_WAITING):
        clock.now += COOLDOWN
        issuer.publish(new := key_pair(kid=f"key-{number}"))
        assert verdict(new.sign(), verifier) == "alice"


@pytest.mark.parametrize("drips", [True, False])
def test_an_answer_that_does_not_end_is_given_up(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    drips: bool,
) -> None:
    """It must hold up no request, at whatever pace it comes, and no later fetch."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(jwks, "COOLDOWN_SECONDS", 0.0)
    issuer.is_open.clear()
    issuer.drips = drips
    started = monotonic()
    assert verdict(pair.sign(), verifier) == "jwks_unavailable"
    assert monotonic() - started < 10
    settle()  # while the issuer still sends
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)

    issuer.is_open.set()

    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 2)


def test_a_fetch_whose_headers_do_not_end_is_given_up_for_another(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It must neither keep us from asking again, nor count when it comes to an end after all."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.publish(pair, new := key_pair(kid="key-2"))
    clock.now += COOLDOWN
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 2.0)  # each part of it must come sooner
    issuer.drips_headers = True
    issuer.is_open.clear()
    issuer.is_asked.clear()
    assert verdict(new.sign(), verifier) == "jwks_unavailable"
    assert issuer.is_asked.wait(60)

    endless, issuer.is_open = issuer.is_open, threading.Event()
    issuer.is_open.set()
    clock.now += COOLDOWN
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)
    assert verdict(new.sign(), verifier) == "alice"
    endless.set()
    settle()

    assert "BETTER_AUTH_JWKS_URL gives no keys: it does not end its answer" in caplog.messages
    assert (verdict(made_up(), verifier), issuer.fetches) == ("unknown_key", 3)
