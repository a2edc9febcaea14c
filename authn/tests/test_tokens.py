"""When a token counts: ``exp``, ``iat`` and ``nbf``."""

from collections.abc import Iterator
from typing import Any

import pytest
from time_machine import travel

from authn.tests.forge import claims, forge, reason, without
from authn.tokens import ExpiredTokenError, TokenVerifier
from conftest import SECRET, mint

NOW = 1_767_713_400  # 2026-01-06T15:30:00Z

HUGE = pytest.param(10**400, id="a huge number")
VERIFIER = TokenVerifier([SECRET])


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Stop the clock at ``NOW``."""
    with travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("seconds_left", [1, 60, 3600])
def test_a_token_counts_until_the_second_before_its_expiry(seconds_left: int) -> None:
    """The expiry must be exact (contract.md "Who may come in")."""
    assert VERIFIER.claims(mint(exp=NOW + seconds_left))["exp"] == NOW + seconds_left


@pytest.mark.parametrize("exp", [NOW, NOW - 1, NOW - 60, 1, 0])
def test_a_token_has_expired_from_the_second_of_its_expiry_on(exp: int) -> None:
    """The expiry must be exact: no leeway, which ``iat`` has (RFC 7519 §4.1.4)."""
    with pytest.raises(ExpiredTokenError) as refusal:
        VERIFIER.claims(mint(exp=exp))
    assert refusal.value.reason == "expired"


def test_a_token_counts_up_to_the_last_instant_before_its_expiry() -> None:
    """A fraction of a second before the expiry must still be before it."""
    with travel(NOW + 59.999, tick=False):
        assert VERIFIER.claims(mint(exp=NOW + 60))["sub"] == "alice"


def test_a_token_may_expire_at_the_end_of_the_year_9999() -> None:
    """The last expiry that the contract allows must be accepted."""
    assert VERIFIER.claims(mint(exp=253_402_300_799))["sub"] == "alice"


def test_a_token_without_an_expiry_is_invalid() -> None:
    """A token for ever must be refused."""
    assert reason(forge(without("exp"))) == "bad_expiry"


@pytest.mark.parametrize(
    "exp",
    [
        pytest.param(str(NOW + 3600), id="a numeric string"),
        pytest.param("tomorrow", id="another string"),
        pytest.param(float(NOW + 3600), id="a float"),
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param(None, id="null"),
        pytest.param(-1, id="a negative number"),
        pytest.param(253_402_300_800, id="the year 10000"),
        HUGE,
        pytest.param([NOW + 3600], id="a list"),
        pytest.param({}, id="an object"),
    ],
)
def test_a_token_whose_expiry_is_no_integer_in_range_is_invalid(exp: Any) -> None:
    """``exp`` must be a JSON integer from 0 to 253402300799 (contract.md "Who may come in")."""
    assert reason(forge(claims(exp=exp))) == "bad_expiry"


@pytest.mark.parametrize("number", ["1e999", f"{NOW + 3600}.0", "1.8e9"])
def test_a_token_whose_expiry_is_written_as_a_float_is_invalid(number: str) -> None:
    """``exp`` must be written as an integer."""
    assert reason(forge(f'{{"sub": "alice", "exp": {number}}}')) == "bad_expiry"


def test_a_token_whose_expiry_has_5000_digits_is_invalid() -> None:
    """A number too long to read must be refused, not raise ``ValueError``."""
    assert reason(forge(f'{{"sub": "alice", "exp": {"9" * 5000}}}')) == "malformed"


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("moment", [NOW - 10**9, -1, NOW, NOW + 1, NOW + 60, NOW + 59.5, None])
def test_a_token_may_begin_up_to_60_seconds_ahead(name: str, moment: float | None) -> None:
    """The clocks of two machines differ; ``null`` must count as absent."""
    token = forge(claims(**{name: moment}))

    assert VERIFIER.claims(token)[name] == moment


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("moment", [NOW + 61, NOW + 60.5, 253_402_300_800, HUGE])
def test_a_token_that_begins_further_ahead_is_invalid(name: str, moment: float) -> None:
    """A token must not count before its time."""
    assert reason(forge(claims(**{name: moment}))) == "not_yet_valid"


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_that_begins_at_infinity_is_invalid(name: str) -> None:
    """A number that no clock can hold must be refused, not raise ``OverflowError``."""
    token = forge(f'{{"sub": "alice", "exp": {NOW + 60}, "{name}": 1e999}}')

    assert reason(token) == "not_yet_valid"


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("moment", [str(NOW), "", True, False, [NOW], {}])
def test_a_token_whose_beginning_is_no_number_is_invalid(name: str, moment: Any) -> None:
    """What is not a number must be refused (contract.md "Who may come in")."""
    assert reason(forge(claims(**{name: moment}))) == f"bad_{name}"


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_needs_no_beginning(name: str) -> None:
    """Only ``exp`` must be there."""
    token = forge({key: value for key, value in claims(nbf=NOW).items() if key != name})

    assert name not in VERIFIER.claims(token)
