"""What the doctor says of issuers, audiences and their key pairs."""

import pytest
from pytest_django.fixtures import Settings

from authn.tests.check_token_helpers import explain
from authn.tests.jwks_server import ISSUER, Issuer, KeyPair, good, key_pair
from conftest import mint

ELSEWHERE = "https://elsewhere.example"


@pytest.mark.parametrize(
    ("setting", "claim", "label", "reason"),
    [
        ("ISSUER", "iss", "Issuer", "wrong_issuer"),
        ("AUDIENCE", "aud", "Audience", "wrong_audience"),
    ],
)
def test_a_token_of_other_parties_is_explained(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    setting: str,
    claim: str,
    label: str,
    reason: str,
) -> None:
    """What the token says and which variable asks for what must be said."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, setting: ISSUER}
    said = explain(monkeypatch, mint(**{claim: ELSEWHERE}), accepted=False)

    assert (said[label], said["User"]) == (f"'{ELSEWHERE}'", "'alice'")
    assert said["The API"].startswith(f"refuses it ({reason}). ")
    assert f"BETTER_AUTH_{setting}" in said["The API"]


@pytest.fixture
def _configured(settings: Settings, issuer: Issuer) -> None:
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "JWKS": (issuer.url, ISSUER, ISSUER)}


@pytest.mark.usefixtures("_configured")
def test_a_key_pairs_token_is_accepted_where_its_keys_are_fetched(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair
) -> None:
    """The doctor must judge as the API does."""
    said = explain(monkeypatch, pair.sign(), accepted=True)

    assert (said["Algorithm"], said["User"]) == ("EdDSA", "'alice'")
    assert said["The API"] == "accepts it on /api/alice/tasks"


@pytest.mark.usefixtures("_configured")
def test_a_key_pairs_token_of_other_parties_says_nothing_of_algorithms(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair
) -> None:
    """Where the keys are fetched the algorithm is right, and another mend is needed."""
    said = explain(monkeypatch, pair.sign(good(aud=ELSEWHERE)), accepted=False)

    assert said["The API"].startswith("refuses it (wrong_audience). ")
    assert "HS256" not in said["What to do"]


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize(
    ("header", "reason", "mend"),
    [
        ({"kid": "made-up"}, "unknown_key", "set the URL of the issuer that signed it"),
        ({"typ": "at+jwt"}, "wrong_type", "send a token that is made for the API"),
        (
            {"typ": "better-auth.session-cache+jwt"},
            "wrong_type",
            "send a token that is made for the API",
        ),
    ],
)
def test_a_key_pairs_token_with_another_header_is_explained(
    monkeypatch: pytest.MonkeyPatch, pair: KeyPair, header: dict[str, str], reason: str, mend: str
) -> None:
    """Each reason that only key pairs have must be explained."""
    token = pair.sign(header={**pair.header, **header})
    said = explain(monkeypatch, token, accepted=False)

    assert said["The API"].startswith(f"refuses it ({reason}). ")
    assert mend in said["What to do"]
    assert said["User"].startswith("'alice' (that is what it says")


@pytest.mark.usefixtures("_configured")
def test_an_attackers_signature_is_told_from_an_unknown_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key that is published under the name, and did not sign, must be told apart."""
    said = explain(monkeypatch, key_pair().sign(), accepted=False)

    assert said["The API"].startswith("refuses it (wrong_signature). ")


@pytest.mark.usefixtures("_configured")
def test_keys_that_cannot_be_fetched_are_explained(
    monkeypatch: pytest.MonkeyPatch, issuer: Issuer, pair: KeyPair
) -> None:
    """A 503 must not pass for a bad token."""
    issuer.status = 500
    said = explain(monkeypatch, pair.sign(), accepted=False)

    assert said["The API"].startswith("refuses it (jwks_unavailable). BETTER_AUTH_JWKS_URL gives")
    assert "Make the URL answer" in said["What to do"]
