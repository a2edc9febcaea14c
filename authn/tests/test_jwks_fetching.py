"""The schedule on which the issuer's keys are fetched."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from authn import jwks
from authn.tests.conftest import Clock
from authn.tests.forge import verdict
from authn.tests.jwks_server import Issuer, KeyPair, key_pair, unknown_key_token, wait_for_fetches
from authn.tokens import TokenVerifier

COOLDOWN, LIFESPAN = jwks.COOLDOWN_SECONDS, jwks.LIFESPAN_SECONDS
SHORTLY = 0.001


def test_a_new_key_is_accepted_at_once(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """A key rotation must not sign any user out, and old keys must stay valid while published."""
    assert {verdict(pair.sign(), verifier) for _ in range(20)} == {"alice"}
    issuer.publish(pair, new := key_pair(kid="key-2"))

    assert verdict(new.sign(), verifier) == "alice"
    assert verdict(pair.sign(), verifier) == "alice"
    assert issuer.fetches == 2


def test_a_key_that_is_published_during_the_cooldown_is_not_refused(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """A valid token must never be a 401: its key may be newer than the last fetch."""
    assert verdict(pair.sign(), verifier) == "alice"
    assert verdict(unknown_key_token(), verifier) == "unknown_key"
    issuer.publish(pair, new := key_pair(kid="key-2"))
    clock.now += COOLDOWN - SHORTLY
    assert [verdict(new.sign(), verifier) for _ in range(3)] == ["jwks_unavailable"] * 3
    assert issuer.fetches == 2

    clock.now += SHORTLY

    assert (verdict(new.sign(), verifier), issuer.fetches) == ("alice", 3)


def test_a_key_that_a_fetch_did_not_return_is_refused_during_the_cooldown(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """An unknown key must be refused once a fetch has begun after its first use."""
    first, second = (unknown_key_token(number) for number in range(2))
    assert verdict(pair.sign(), verifier) == "alice"
    verdicts = [verdict(token, verifier) for token in (first, first, second)]
    assert verdicts == ["unknown_key", "unknown_key", "jwks_unavailable"]

    clock.now += COOLDOWN
    verdicts = [verdict(token, verifier) for token in (first, second, second)]

    assert (verdicts, issuer.fetches) == (["unknown_key"] * 3, 3)


def test_a_limited_number_of_keys_is_remembered(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A flood of unknown keys must not take more memory; the oldest must be forgotten."""
    monkeypatch.setattr(jwks, "MAX_REMEMBERED_KEYS", 4)
    tokens = [unknown_key_token(number) for number in range(4)]
    assert verdict(pair.sign(), verifier) == "alice"
    for token in tokens:
        verdict(token, verifier)
    clock.now += COOLDOWN

    verdicts = [verdict(token, verifier) for token in reversed(tokens)]

    assert verdicts == [*["unknown_key"] * 3, "jwks_unavailable"]
    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 3)


@pytest.mark.usefixtures("clock")
def test_a_removed_key_is_refused_after_the_next_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """A withdrawn key must not verify any token."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.publish(new := key_pair(kid="key-2"))
    assert verdict(new.sign(), verifier) == "alice"

    assert verdict(pair.sign(), verifier) == "unknown_key"


@pytest.mark.parametrize(("seconds", "fetches"), [(LIFESPAN, 1), (LIFESPAN + SHORTLY, 2)])
def test_keys_are_fetched_again_after_their_lifespan(
    issuer: Issuer,
    verifier: TokenVerifier,
    pair: KeyPair,
    clock: Clock,
    seconds: float,
    fetches: int,
) -> None:
    """A withdrawn key must expire even if no token has an unknown ``kid``."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.publish(key_pair(kid="key-2"))
    clock.now += seconds

    assert verdict(pair.sign(), verifier) == "alice"
    wait_for_fetches()

    assert verdict(pair.sign(), verifier) == ("alice" if fetches == 1 else "unknown_key")


@pytest.mark.parametrize(
    "is_known", [True, False], ids=["after a valid token", "before any valid token"]
)
def test_many_unknown_keys_cause_few_fetches(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock, is_known: bool
) -> None:
    """Unknown keys must cause one fetch after the initial one, and one more after each cooldown."""
    if is_known:
        assert verdict(pair.sign(), verifier) == "alice"
    tokens = [unknown_key_token(number) for number in range(60)]
    fetches = []

    for seconds in (0.0, COOLDOWN - SHORTLY, SHORTLY, COOLDOWN - SHORTLY, SHORTLY):
        clock.now += seconds
        with ThreadPoolExecutor(16) as pool:
            verdicts = pool.map(verdict, tokens, [verifier] * 60)
        assert set(verdicts) <= {"unknown_key", "jwks_unavailable"}
        wait_for_fetches()
        fetches.append(issuer.fetches)

    assert fetches == [2, 2, 3, 3, 4]


def test_an_unavailable_issuer_is_retried_after_the_cooldown(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """No token may cause a fetch during the cooldown; the first token after it must cause one."""
    issuer.status = 503
    verdicts = [
        verdict(token, verifier) for token in (pair.sign(), unknown_key_token(), pair.sign())
    ]
    assert (set(verdicts), issuer.fetches) == ({"jwks_unavailable"}, 1)

    issuer.status = 200
    clock.now += COOLDOWN - SHORTLY
    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("jwks_unavailable", 1)
    clock.now += SHORTLY
    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 2)


def test_known_keys_are_accepted_while_the_issuer_is_unavailable(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, clock: Clock
) -> None:
    """An outage of the issuer must not sign any user out."""
    assert verdict(pair.sign(), verifier) == "alice"
    issuer.status = 500

    for _ in range(3):
        clock.now += LIFESPAN + SHORTLY
        assert [verdict(pair.sign(), verifier) for _ in range(5)] == ["alice"] * 5
        wait_for_fetches()

    assert (verdict(pair.sign(), verifier), issuer.fetches) == ("alice", 4)
    assert verdict(unknown_key_token(), verifier) == "jwks_unavailable"


def test_concurrent_requests_share_a_fetch(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair
) -> None:
    """Requests during a fetch must wait for it and cause no other fetch."""
    issuer.is_open.clear()

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(verdict, pair.sign(), verifier) for _ in range(8)]
        assert issuer.has_request.wait(60)
        assert not any(future.done() for future in waiting)
        issuer.is_open.set()

    assert {future.result() for future in waiting} == {"alice"}
    assert issuer.fetches == 1


def test_a_key_that_arrives_just_before_a_fetch_makes_it_unnecessary(
    issuer: Issuer, verifier: TokenVerifier, pair: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that arrives between the lookup and the fetch must be used without another fetch."""

    def clock() -> float:
        """Let the first fetch end after the second token's lookup."""
        if threading.current_thread() is threading.main_thread():
            issuer.is_open.set()
            wait_for_fetches()
        return 0.0

    issuer.is_open.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(verdict, pair.sign(), verifier)
        assert issuer.has_request.wait(60)
        monkeypatch.setattr(jwks, "monotonic", clock)
        second = verdict(pair.sign(), verifier)

    assert (first.result(), second, issuer.fetches) == ("alice", "alice", 1)
