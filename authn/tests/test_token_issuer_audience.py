"""The claims ``iss`` and ``aud`` (docs/contract.md, "Authentication")."""

from itertools import product
from typing import Any

import pytest

from authn.tests.forge import claims, forge, mismatches, verdict
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

ISSUER = "https://app.example.com"
ISSUER_VERIFIER = TokenVerifier([SECRET], issuer=ISSUER)
AUDIENCE_VERIFIER = TokenVerifier([SECRET], audience=ISSUER)

OTHER_ISSUERS: list[Any] = [None, "", "/", f"{ISSUER}.evil", ISSUER.upper(), [ISSUER], 1, True]
OTHER_AUDIENCES: list[Any] = [
    *[None, "", [], ["other"], [[ISSUER]], {ISSUER: 1}, 1],
    *[f"{ISSUER}/api", f"other {ISSUER}"],
]


def test_any_issuer_and_audience_are_accepted_if_none_is_configured() -> None:
    """Any ``iss`` and ``aud`` must be accepted; PyJWT refuses an unexpected ``aud`` by default."""
    rows = product(["aud", "iss"], ["https://elsewhere.example", ["a", "b"], 1, "", None])

    assert mismatches("alice", rows, lambda row: forge(claims(**dict([row])))) == {}


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
def test_a_configured_issuer_matches_with_and_without_a_trailing_slash(configured: str) -> None:
    """A trailing slash must make no difference, in the claim or in the setting."""
    verifier = TokenVerifier([SECRET], issuer=configured)

    assert mismatches("alice", [ISSUER, f"{ISSUER}/"], lambda iss: mint(iss=iss), verifier) == {}


def test_an_issuer_other_than_the_configured_one_is_refused() -> None:
    """A wrong or missing ``iss`` must be refused."""

    def with_issuer(iss: Any) -> str:
        return forge(claims(iss=iss))

    assert mismatches("wrong_issuer", OTHER_ISSUERS, with_issuer, ISSUER_VERIFIER) == {}
    assert verdict(mint(), ISSUER_VERIFIER) == "wrong_issuer"


def test_a_configured_audience_matches_a_string_or_a_member_of_a_list() -> None:
    """``aud`` may be a string or a list (RFC 7519 §4.1.3)."""
    audiences = [ISSUER, f"{ISSUER}/", [ISSUER], ["other", f"{ISSUER}/"], [1, ISSUER]]

    assert mismatches("alice", audiences, lambda aud: mint(aud=aud), AUDIENCE_VERIFIER) == {}


def test_an_audience_other_than_the_configured_one_is_refused() -> None:
    """A wrong or missing ``aud`` must be refused."""

    def with_audience(aud: Any) -> str:
        return forge(claims(aud=aud))

    assert mismatches("wrong_audience", OTHER_AUDIENCES, with_audience, AUDIENCE_VERIFIER) == {}
    assert verdict(mint(), AUDIENCE_VERIFIER) == "wrong_audience"
