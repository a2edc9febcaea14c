"""Who made a token and whom it is for: ``iss`` and ``aud`` (contract.md "Who may come in")."""

from itertools import product
from typing import Any

import pytest

from authn.tests.forge import claims, forge, unlike, verdict
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

ISSUER = "https://app.example.com"
BY_ISSUER = TokenVerifier([SECRET], issuer=ISSUER)
BY_AUDIENCE = TokenVerifier([SECRET], audience=ISSUER)

ELSEWHERE: list[Any] = [None, "", "/", f"{ISSUER}.evil", ISSUER.upper(), [ISSUER], 1, True]
OTHER_AUDIENCES: list[Any] = [
    *[None, "", [], ["other"], [[ISSUER]], {ISSUER: 1}, 1],
    *[f"{ISSUER}/api", f"other {ISSUER}"],
]


def test_a_token_for_any_party_is_fine_where_none_is_configured() -> None:
    """An ``aud`` that nobody asked for must not be refused, as bare PyJWT does."""
    rows = product(["aud", "iss"], ["https://elsewhere.example", ["a", "b"], 1, "", None])

    assert unlike("alice", rows, lambda row: forge(claims(**dict([row])))) == {}


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
def test_a_configured_issuer_matches_with_and_without_a_slash(configured: str) -> None:
    """A base URL and the same with a slash must be one issuer."""
    verifier = TokenVerifier([SECRET], issuer=configured)

    assert unlike("alice", [ISSUER, f"{ISSUER}/"], lambda iss: mint(iss=iss), verifier) == {}


def test_where_an_issuer_is_configured_no_other_is_accepted() -> None:
    """Each token must carry the match, and not leave it out."""

    def issued(iss: Any) -> str:
        return forge(claims(iss=iss))

    assert unlike("wrong_issuer", ELSEWHERE, issued, BY_ISSUER) == {}
    assert verdict(mint(), BY_ISSUER) == "wrong_issuer"


def test_a_configured_audience_matches_alone_or_in_a_list() -> None:
    """The audience may be one of several (RFC 7519 §4.1.3)."""
    audiences = [ISSUER, f"{ISSUER}/", [ISSUER], ["other", f"{ISSUER}/"], [1, ISSUER]]

    assert unlike("alice", audiences, lambda aud: mint(aud=aud), BY_AUDIENCE) == {}


def test_where_an_audience_is_configured_no_other_is_accepted() -> None:
    """Each token must carry the match, and not leave it out."""

    def meant(aud: Any) -> str:
        return forge(claims(aud=aud))

    assert unlike("wrong_audience", OTHER_AUDIENCES, meant, BY_AUDIENCE) == {}
    assert verdict(mint(), BY_AUDIENCE) == "wrong_audience"
