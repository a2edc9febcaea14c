"""What ``manage.py check_token`` says of issuers, audiences and their key pairs."""

import pytest
from pytest_django.fixtures import Settings

from authn.tests.check_token_helpers import explain
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, good, key_pair
from conftest import mint

ELSEWHERE = "https://elsewhere.example"
SEND_ANOTHER = "send a token that is made for the API"


@pytest.mark.parametrize(("setting", "claim"), [("ISSUER", "iss"), ("AUDIENCE", "aud")])
def test_a_token_of_other_parties_is_explained(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, setting: str, claim: str
) -> None:
    """What the token says and which variable asks for what must be said."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, setting: ISSUER}
    said = explain(monkeypatch, mint(**{claim: ELSEWHERE}))

    assert (said[setting.capitalize()], said["User"]) == (f"'{ELSEWHERE}'", "'alice'")
    assert said["The API"].startswith(f"refuses it (wrong_{setting.lower()}). ")
    assert f"BETTER_AUTH_{setting}" in said["The API"]


@pytest.fixture
def _configured(settings: Settings, issuer: Issuer) -> None:
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "JWKS": (issuer.url, ISSUER, ISSUER)}


@pytest.mark.usefixtures("_configured")
def test_a_key_pairs_token_is_judged_as_the_api_does(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair
) -> None:
    """The command must judge as the API does."""
    said = explain(monkeypatch, pair.sign())

    assert (said["Algorithm"], said["User"]) == ("EdDSA", "'alice'")
    assert said["The API"] == "accepts it on /api/alice/tasks"

    said = explain(monkeypatch, pair.sign(good(aud=ELSEWHERE)))
    assert said["The API"].startswith("refuses it (wrong_audience). ")
    assert "HS256" not in said["What to do"]  # its algorithm is right here


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize(
    ("header", "reason", "mend"),
    [
        ({"kid": "made-up"}, "unknown_key", "set the URL of the issuer that signed it"),
        ({"typ": "at+jwt"}, "wrong_type", SEND_ANOTHER),
        ({"typ": "better-auth.session-cache+jwt"}, "wrong_type", SEND_ANOTHER),
        ({}, "wrong_signature", "Compare the fingerprints"),
    ],
)
def test_a_key_pairs_token_that_is_refused_is_explained(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair, header: dict[str, str], reason: str, mend: str
) -> None:
    """Each reason must be told from the others, that of an attacker's signature as well."""
    signs = pair if header else key_pair()
    said = explain(monkeypatch, signs.sign(header={**pair.header, **header}))

    assert said["The API"].startswith(f"refuses it ({reason}). ")
    assert mend in said["What to do"]
    assert said["User"].startswith("'alice' (that is what it says")


@pytest.mark.usefixtures("_configured")
def test_keys_that_cannot_be_fetched_are_explained(
    monkeypatch: pytest.MonkeyPatch, issuer: Issuer, pair: KeyPair
) -> None:
    """A 503 must not pass for a bad token."""
    issuer.status = 500
    said = explain(monkeypatch, pair.sign())

    assert said["The API"].startswith("refuses it (jwks_unavailable). BETTER_AUTH_JWKS_URL gives")
    assert "Make the URL answer" in said["What to do"]
