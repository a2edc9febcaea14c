"""When the issuer's keys are fetched: seldom, and never at the cost of who needs no new ones."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.forge import verdict
from authn.tests.jwks_server import Issuer, KeyPair, key_pair, made_up, settle
from authn.tokens import TokenVerifier

COOLDOWN, LIFESPAN = jwks.COOLDOWN_SECONDS, jwks.LIFESPAN_SECONDS
SHORTLY = 0.001


def test_a_new_key_is_accepted_at_once(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """When the issuer rotates its keys nobody must be signed out, and all keys be kept."""
    assert {verdict(pair.sign(), verifier) for _ in range(20)} == {"alice"}
    issuer.publish(pair, new := key_pair(kid="key-2"))

    assert verdict(new.sign(), verifier) == "alice"
    assert verdict(pair.sign(), verifier) == "alice"
    assert issuer.fetches == 2


@pytest.mark.usefixtures("clock")
def test_a_removed_key_is_refused_after_the_next_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """A key that the issuer has taken back must open nothing."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.publish(new := key_pair(kid="key-2"))
    assert verdict(new.sign(), verifier) == "alice"

    assert verdict(pair.sign(), verifier) == "unknown_key"


@pytest.mark.parametrize(("seconds", "fetches"), [(LIFESPAN, 1), (LIFESPAN + SHORTLY, 2)])
def test_keys_are_fetched_again_when_they_are_old(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    clock: Clock,
    seconds: float,
    fetches: int,
) -> None:
    """A removed key must not count for ever, though no unknown one turn up."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.publish(key_pair(kid="key-2"))
    clock.now += seconds

    assert verdict(pair.sign(), verifier) == "alice"
    settle()

    assert verdict(pair.sign(), verifier) == ("alice" if fetches == 1 else "unknown_key")


@pytest.mark.parametrize("is_known", [True, False], ids=["after a good token", "at the start"])
def test_a_flood_of_made_up_keys_is_no_flood_of_fetches(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock, is_known: bool
) -> None:
    """Made-up keys must cause one fetch beside the first, and one more after the cool-down."""
    if is_known:
        assert verdict(pair.sign(), verifier) == "alice"
    tokens = [made_up(number) for number in range(60)]
    fetches = []

    for seconds in (0.0, COOLDOWN - SHORTLY, SHORTLY, COOLDOWN - SHORTLY, SHORTLY):
        clock.now += seconds
        with ThreadPoolExecutor(16) as pool:
            outcomes = pool.map(verdict, tokens, [verifier] * 60)
        assert set(outcomes) <= {"unknown_key", "jwks_unavailable"}
        settle()
        fetches.append(issuer.fetches)

    assert fetches == [2, 2, 3, 3, 4]


def test_an_issuer_that_is_away_is_asked_once_in_a_while(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """Neither good nor made-up tokens must knock at a closed door; when it opens, they come in."""
    issuer.status = 503
    outcomes = [verdict(token, verifier) for token in (pair.sign(), made_up(), pair.sign())]
    assert (set(outcomes), issuer.fetches) == ({"jwks_unavailable"}, 1)

    issuer.status = 200
    clock.now += COOLDOWN - SHORTLY
    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("jwks_unavailable", 1)
    clock.now += SHORTLY
    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 2)


def test_known_keys_count_while_the_issuer_is_away(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """An outage of the issuer must sign nobody out."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.status = 500

    for _ in range(3):
        clock.now += LIFESPAN + SHORTLY
        assert [verdict(pair.sign(), verifier) for _ in range(5)] == ["alice"] * 5
        settle()

    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 4)
    assert verdict(made_up(), verifier) == "jwks_unavailable"


def test_tokens_that_wait_share_a_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Those that come while keys are fetched must wait for them, and cause no fetch more."""
    issuer.is_open.clear()

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(verdict, pair.sign(), verifier) for _ in range(8)]
        assert issuer.is_asked.wait(60)
        assert not any(future.done() for future in waiting)
        issuer.is_open.set()

    assert {future.result() for future in waiting} == {"alice"}
    assert issuer.fetches == 1


def test_a_token_that_comes_as_its_key_does_causes_no_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that arrives between a look and a fetch must be seen."""

    def clock() -> float:
        """Let the keys arrive as soon as the second token has been looked at."""
        if threading.current_thread() is threading.main_thread():
            issuer.is_open.set()
            settle()
        return 0.0

    issuer.is_open.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(verdict, pair.sign(), verifier)
        assert issuer.is_asked.wait(60)
        monkeypatch.setattr(jwks, "monotonic", clock)
        second = verdict(pair.sign(), verifier)

    assert (first.result(), second, issuer.fetches) == ("alice", "alice", 1)
