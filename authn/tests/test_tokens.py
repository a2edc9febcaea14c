"""When a token counts: ``exp``, ``iat`` and ``nbf`` (docs/contract.md, "Who may come in")."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from time_machine import travel

from authn.tests.forge import VERIFIER, claims, forge, unlike, verdict, without
from authn.tokens import ExpiredTokenError
from conftest import mint

NOW = 1_767_713_400  # 2026-01-06T15:30:00Z
HUGE = 10**400
NO_EXPIRIES = [
    *[str(NOW + 3600), "tomorrow", float(NOW + 3600), True, False, None, -1],
    *[253_402_300_800, HUGE, [NOW + 3600], {}],
]
BEGINNINGS = ("iat", "nbf")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Stop the clock at ``NOW``."""
    with travel(NOW, tick=False):
        yield


def expiring(exp: Any) -> str:
    """Sign a token that expires then."""
    return forge(claims(exp=exp))


def beginning(row: tuple[str, Any]) -> str:
    """Sign a token with this ``iat`` or ``nbf``."""
    return forge(claims(**dict([row])))


def test_a_token_counts_until_the_second_before_its_expiry() -> None:
    """The expiry must be exact, to the last one that the contract allows."""
    assert unlike("alice", [NOW + 1, NOW + 60, NOW + 3600, 253_402_300_799], expiring) == {}


def test_a_token_has_expired_from_the_second_of_its_expiry_on() -> None:
    """The expiry must be exact: no leeway, which ``iat`` has (RFC 7519 §4.1.4)."""
    assert unlike("expired", [NOW, NOW - 1, NOW - 60, 1, 0], expiring) == {}
    with pytest.raises(ExpiredTokenError):
        VERIFIER.claims(expiring(NOW))


def test_a_token_counts_up_to_the_last_instant_before_its_expiry() -> None:
    """A fraction of a second before the expiry must still be before it."""
    with travel(NOW + 59.999, tick=False):
        assert verdict(mint(exp=NOW + 60)) == "alice"


def test_a_token_whose_expiry_is_no_integer_in_range_is_invalid() -> None:
    """``exp`` must be there, a JSON integer from 0 to 253402300799."""
    assert unlike("bad_expiry", NO_EXPIRIES, expiring) == {}
    assert verdict(forge(without("exp"))) == "bad_expiry"


def test_a_token_whose_expiry_is_written_as_a_float_is_invalid() -> None:
    """``exp`` must be written as an integer."""

    def written(number: str) -> str:
        return forge(f'{{"sub": "alice", "exp": {number}}}')

    assert unlike("bad_expiry", ["1e999", f"{NOW + 3600}.0", "1.8e9"], written) == {}


def test_a_token_may_begin_up_to_60_seconds_ahead() -> None:
    """The clocks of two machines differ; ``null`` must count as absent."""
    moments = [NOW - 10**9, -1, NOW, NOW + 1, NOW + 60, NOW + 59.5, None]

    assert unlike("alice", product(BEGINNINGS, moments), beginning) == {}


def test_a_token_that_begins_further_ahead_is_invalid() -> None:
    """A token must not count before its time."""
    moments = [NOW + 61, NOW + 60.5, 253_402_300_800, HUGE]

    assert unlike("not_yet_valid", product(BEGINNINGS, moments), beginning) == {}


def test_a_token_that_begins_at_infinity_is_invalid() -> None:
    """A number that no clock can hold must be refused, not raise ``OverflowError``."""

    def infinite(name: str) -> str:
        return forge(f'{{"sub": "alice", "exp": {NOW + 60}, "{name}": 1e999}}')

    assert unlike("not_yet_valid", BEGINNINGS, infinite) == {}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_token_whose_beginning_is_no_number_is_invalid(name: str) -> None:
    """``iat`` and ``nbf`` must be numbers."""
    rows = product([name], [str(NOW), "", True, False, [NOW], {}])

    assert unlike(f"bad_{name}", rows, beginning) == {}


def test_a_token_needs_no_beginning() -> None:
    """Only ``exp`` must be there."""
    assert verdict(forge({"sub": "alice", "exp": NOW + 60})) == "alice"
