"""Who made a token and whom it is for: ``iss`` and ``aud``."""

from typing import Any

import pytest

from authn.tests.forge import claims, forge, reason
from authn.tokens import TokenVerifier
from conftest import SECRET, mint

ISSUER = "https://app.example.com"


@pytest.mark.parametrize("name", ["aud", "iss"])
@pytest.mark.parametrize("value", ["https://elsewhere.example", ["a", "b"], 1, "", None])
def test_a_token_for_any_party_is_fine_where_none_is_configured(name: str, value: Any) -> None:
    """An ``aud`` that nobody asked for must not be refused, as bare PyJWT does."""
    assert TokenVerifier([SECRET]).claims(forge(claims(**{name: value})))["sub"] == "alice"


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
@pytest.mark.parametrize("sent", [ISSUER, f"{ISSUER}/"])
def test_a_configured_issuer_matches_with_and_without_a_slash(configured: str, sent: str) -> None:
    """A base URL and the same with a slash must be one issuer."""
    verifier = TokenVerifier([SECRET], issuer=configured)

    assert verifier.claims(mint(iss=sent))["iss"] == sent


@pytest.mark.parametrize(
    "iss",
    [None, "", "/", "https://app.example.com.evil", "HTTPS://APP.EXAMPLE.COM", [ISSUER], 1, True],
)
def test_where_an_issuer_is_configured_no_other_is_accepted(iss: Any) -> None:
    """Each token must carry the match (contract.md "Who may come in")."""
    verifier = TokenVerifier([SECRET], issuer=ISSUER)

    assert reason(forge(claims(iss=iss)), verifier) == "wrong_issuer"


def test_where_an_issuer_is_configured_its_absence_is_refused() -> None:
    """Each token must carry the match (contract.md "Who may come in")."""
    assert reason(mint(), TokenVerifier([SECRET], issuer=ISSUER)) == "wrong_issuer"


@pytest.mark.parametrize(
    "aud", [ISSUER, f"{ISSUER}/", [ISSUER], ["other", f"{ISSUER}/"], [1, ISSUER]]
)
def test_a_configured_audience_matches_alone_or_in_a_list(aud: Any) -> None:
    """The audience may be one of several (RFC 7519 §4.1.3)."""
    verifier = TokenVerifier([SECRET], audience=ISSUER)

    assert verifier.claims(forge(claims(aud=aud)))["aud"] == aud


@pytest.mark.parametrize(
    "aud",
    [None, "", [], ["other"], [[ISSUER]], {ISSUER: 1}, 1, f"{ISSUER}/api", f"other {ISSUER}"],
)
def test_where_an_audience_is_configured_no_other_is_accepted(aud: Any) -> None:
    """Each token must carry the match (contract.md "Who may come in")."""
    verifier = TokenVerifier([SECRET], audience=ISSUER)

    assert reason(forge(claims(aud=aud)), verifier) == "wrong_audience"


def test_where_an_audience_is_configured_its_absence_is_refused() -> None:
    """Each token must carry the match (contract.md "Who may come in")."""
    assert reason(mint(), TokenVerifier([SECRET], audience=ISSUER)) == "wrong_audience"
