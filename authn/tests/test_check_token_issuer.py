"""Tests of ``manage.py check_token`` with issuers, audiences and public keys."""

import pytest
from pytest_django.fixtures import Settings

from authn.tests.check_token_runner import explain
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, issuer_claims, key_pair
from conftest import mint

ELSEWHERE = "https://elsewhere.example"
USE_A_RECIPE = "send a token made for the API"


@pytest.mark.parametrize(("setting", "claim"), [("ISSUER", "iss"), ("AUDIENCE", "aud")])
def test_a_token_with_another_issuer_or_audience_is_explained(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, setting: str, claim: str
) -> None:
    """The output must show the claim and name the variable that the claim does not match."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, setting: ISSUER}
    lines = explain(monkeypatch, mint(**{claim: ELSEWHERE}))

    assert (lines[setting.capitalize()], lines["User"]) == (f"'{ELSEWHERE}'", "'alice'")
    assert lines["The API"].startswith(f"refuses it (wrong_{setting.lower()}). ")
    assert f"BETTER_AUTH_{setting}" in lines["The API"]


@pytest.fixture
def _configured(settings: Settings, issuer: Issuer) -> None:
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "JWKS": (issuer.url, ISSUER, ISSUER)}


@pytest.mark.usefixtures("_configured")
def test_a_token_signed_with_a_private_key_gets_the_apis_verdict(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair
) -> None:
    """The command must use the configured verifier."""
    lines = explain(monkeypatch, pair.sign())

    assert (lines["Algorithm"], lines["User"]) == ("EdDSA", "'alice'")
    assert lines["The API"] == "accepts it on /api/alice/tasks"

    lines = explain(monkeypatch, pair.sign(issuer_claims(aud=ELSEWHERE)))
    assert lines["The API"].startswith("refuses it (wrong_audience). ")
    assert "HS256" not in lines["What to do"]  # the algorithm is accepted


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize(
    ("header", "reason", "advice"),
    [
        ({"kid": "made-up"}, "unknown_key", "the key set of the issuer that signed it"),
        ({"typ": "at+jwt"}, "wrong_type", USE_A_RECIPE),
        ({"typ": "better-auth.session-cache+jwt"}, "wrong_type", USE_A_RECIPE),
        ({}, "wrong_signature", "Compare the fingerprints"),
    ],
)
def test_a_refused_token_signed_with_a_private_key_is_explained(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair, header: dict[str, str], reason: str, advice: str
) -> None:
    """Each refusal must have its own reason and advice."""
    signer = pair if header else key_pair()
    lines = explain(monkeypatch, signer.sign(header={**pair.header, **header}))

    assert lines["The API"].startswith(f"refuses it ({reason}). ")
    assert advice in lines["What to do"]
    assert lines["User"] == "'alice' (unverified)"


@pytest.mark.usefixtures("_configured")
def test_unavailable_keys_are_explained(
    monkeypatch: pytest.MonkeyPatch, issuer: Issuer, pair: KeyPair
) -> None:
    """Unavailable keys must not be reported as an invalid token."""
    issuer.status = 500
    lines = explain(monkeypatch, pair.sign())

    assert lines["The API"].startswith(
        "refuses it (jwks_unavailable). BETTER_AUTH_JWKS_URL returns"
    )
    assert "Make the URL reachable" in lines["What to do"]
