"""The claims ``exp``, ``iat`` and ``nbf`` (docs/contract.md, "Authentication")."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from time_machine import travel

from authn.tests.forge import VERIFIER, claims, claims_without, forge, mismatches, verdict
from authn.tokens import ExpiredTokenError
from conftest import mint

NOW = 1_767_713_400  # 2026-01-06T15:30:00Z
HUGE = 10**400
INVALID_EXPIRIES = [
    *[str(NOW + 3600), "tomorrow", True, False, None, -1, -0.5],
    *[253_402_300_800, 253_402_300_799.5, HUGE, [NOW + 3600], {}],
]
START_CLAIMS = ("iat", "nbf")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Freeze the time at ``NOW``."""
    with travel(NOW, tick=False):
        yield


def with_expiry(exp: Any) -> str:
    """Sign a token with an ``exp`` claim."""
    return forge(claims(exp=exp))


def with_start(claim: tuple[str, Any]) -> str:
    """Sign a token with an ``iat`` or ``nbf`` claim."""
    return forge(claims(**dict([claim])))


def test_a_token_is_accepted_before_its_expiry() -> None:
    """A token must be accepted until its ``exp``, which may be as late as the contract allows."""
    expiries = [NOW + 1, NOW + 60, NOW + 3600.25, NOW + 0.001, 253_402_300_799]

    assert mismatches("alice", expiries, with_expiry) == {}


def test_a_token_expires_at_its_expiry() -> None:
    """``exp`` must have no leeway, unlike ``iat`` and ``nbf`` (RFC 7519 §4.1.4)."""
    assert mismatches("expired", [NOW, NOW - 0.001, NOW - 60, 1, 0, 0.5], with_expiry) == {}
    with pytest.raises(ExpiredTokenError):
        VERIFIER.claims(with_expiry(NOW))


def test_a_token_that_was_accepted_expires() -> None:
    """Only the signature's result may be kept, not that of the times."""
    token = with_expiry(NOW + 60)
    assert verdict(token) == "alice"
    with travel(NOW + 60, tick=False):
        assert verdict(token) == "expired"


def test_a_token_is_accepted_a_millisecond_before_its_expiry() -> None:
    """The current time must not be rounded."""
    with travel(NOW + 59.999, tick=False):
        assert verdict(mint(exp=NOW + 60)) == "alice"


def test_an_expiry_that_is_not_a_number_in_range_is_invalid() -> None:
    """``exp`` must be present and a number from 0 to 253402300799 (RFC 7519 §2, NumericDate)."""
    assert mismatches("bad_expiry", INVALID_EXPIRIES, with_expiry) == {}
    assert verdict(forge(claims_without("exp"))) == "bad_expiry"


def with_number(number: str) -> str:
    """Sign a token whose ``exp`` is written like this."""
    return forge(f'{{"sub": "alice", "exp": {number}}}')


def test_an_expiry_may_have_a_fraction_or_an_exponent() -> None:
    """Any form of a JSON number must be accepted, and be exact."""
    assert mismatches("alice", [f"{NOW}.5", f"{NOW + 3600}.0", "1.8e9"], with_number) == {}
    with travel(NOW + 0.5, tick=False):
        assert verdict(with_number(f"{NOW}.5")) == "expired"


def test_an_infinite_expiry_is_invalid() -> None:
    """``exp`` must be finite."""
    assert mismatches("bad_expiry", ["1e999", "-1e999"], with_number) == {}


def test_a_start_up_to_60_seconds_ahead_is_accepted() -> None:
    """Clock skew must be tolerated, and ``null`` must count as absent."""
    times = [NOW - 10**9, -1, NOW, NOW + 1, NOW + 60, NOW + 59.5, None]

    assert mismatches("alice", product(START_CLAIMS, times), with_start) == {}


def test_a_start_further_ahead_is_refused() -> None:
    """A token must not be accepted before its ``iat`` or ``nbf``."""
    times = [NOW + 61, NOW + 60.5, 253_402_300_800, HUGE]

    assert mismatches("not_yet_valid", product(START_CLAIMS, times), with_start) == {}


def test_an_infinite_start_is_refused() -> None:
    """A number out of range must be refused without an ``OverflowError``."""

    def infinite(name: str) -> str:
        return forge(f'{{"sub": "alice", "exp": {NOW + 60}, "{name}": 1e999}}')

    assert mismatches("not_yet_valid", START_CLAIMS, infinite) == {}


@pytest.mark.parametrize("name", START_CLAIMS)
def test_a_start_that_is_not_a_number_is_invalid(name: str) -> None:
    """``iat`` and ``nbf`` must be numbers."""
    rows = product([name], [str(NOW), "", True, False, [NOW], {}])

    assert mismatches(f"bad_{name}", rows, with_start) == {}


def test_iat_and_nbf_are_optional() -> None:
    """``exp`` must be the only required time."""
    assert verdict(forge({"sub": "alice", "exp": NOW + 60})) == "alice"
