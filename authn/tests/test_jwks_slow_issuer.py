"""An issuer that takes its time must hold up as few as can be, and not for long."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from time import monotonic

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.jwks_server import Issuer, KeyPair, key_pair, made_up, outcome, settle
from authn.tokens import TokenVerifier

COOLDOWN, LIFESPAN = jwks.COOLDOWN_SECONDS, jwks.LIFESPAN_SECONDS
SHORTLY = 0.001


def test_a_token_with_a_known_key_does_not_wait_for_a_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """A slow issuer must hold up nobody whose key is known, though it be old."""
    assert outcome(verifier, pair.sign()) == "alice"
    issuer.is_open.clear()
    clock.now += LIFESPAN + SHORTLY

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(outcome, verifier, made_up())
        known = [outcome(verifier, pair.sign()) for _ in range(20)]
        assert (set(known), waiting.done()) == ({"alice"}, False)
        issuer.is_open.set()

    assert (waiting.result(), issuer.fetches) == ("unknown_key", 2)


def test_a_slow_issuer_holds_up_few_requests_where_there_are_keys(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up keys must not take up all threads: the others need them for good tokens."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)
    assert outcome(verifier, pair.sign()) == "alice"
    issuer.is_open.clear()

    with ThreadPoolExecutor(12) as pool:
        asking = [pool.submit(outcome, verifier, made_up(number)) for number in range(12)]
        answered = list(islice(as_completed(asking), 12 - jwks.MAX_WAITING))
        assert {future.result() for future in answered} == {"jwks_unavailable"}
        assert sum(not future.done() for future in asking) == jwks.MAX_WAITING
        issuer.is_open.set()

    waited = [future.result() for future in asking if future not in answered]
    assert (set(waited), issuer.fetches) == ({"unknown_key"}, 2)
    assert outcome(verifier, pair.sign()) == "alice"


def test_those_that_have_waited_make_room_for_others(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """A place to wait at must be given back."""
    assert outcome(verifier, pair.sign()) == "alice"

    for number in range(2 * jwks.MAX_WAITING):
        clock.now += COOLDOWN
        issuer.publish(new := key_pair(kid=f"key-{number}"))
        assert outcome(verifier, new.sign()) == "alice"


@pytest.mark.parametrize("drips", [True, False])
def test_a_token_waits_for_an_issuer_no_longer_than_the_time_out(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    drips: bool,
) -> None:
    """An answer that does not end must not hold a request up, at whatever pace it comes."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)
    issuer.is_open.clear()
    issuer.drips = drips

    started = monotonic()
    assert outcome(verifier, pair.sign()) == "jwks_unavailable"
    assert 0.1 < monotonic() - started < 2.0


@pytest.mark.parametrize("drips", [True, False])
def test_a_fetch_ends_although_the_answer_does_not(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    drips: bool,
) -> None:
    """An endless answer must not keep us from asking again."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(jwks, "COOLDOWN_SECONDS", 0.0)
    issuer.is_open.clear()
    issuer.drips = drips
    assert outcome(verifier, pair.sign()) == "jwks_unavailable"
    settle()  # while the issuer still sends
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60.0)

    issuer.is_open.set()

    assert (outcome(verifier, pair.sign()), issuer.fetches) == ("alice", 2)


def test_a_fetch_whose_headers_do_not_end_is_given_up_for_another(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It must neither keep us from asking again, nor count when it comes to an end after all."""
    assert outcome(verifier, pair.sign()) == "alice"
    issuer.publish(pair, new := key_pair(kid="key-2"))
    clock.now += COOLDOWN
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 1.0)
    issuer.drips_headers = True
    issuer.is_open.clear()
    assert outcome(verifier, new.sign()) == "jwks_unavailable"

    endless, issuer.is_open = issuer.is_open, threading.Event()
    issuer.is_open.set()
    clock.now += COOLDOWN
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 30.0)
    assert outcome(verifier, new.sign()) == "alice"
    endless.set()
    settle()

    assert "BETTER_AUTH_JWKS_URL gives no keys: it does not end its answer" in caplog.messages
    assert (outcome(verifier, made_up()), issuer.fetches) == ("unknown_key", 3)
