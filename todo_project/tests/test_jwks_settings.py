"""The settings of the issuer's public keys."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from conftest import FRONT_END
from todo_project.tests.settings_loader import load

URL = f"{FRONT_END}/api/auth/jwks"
ISSUER, AUDIENCE = "https://issuer.example.com", "the-api"
BY_ISSUER, BY_AUDIENCE = {"BETTER_AUTH_ISSUER": ISSUER}, {"BETTER_AUTH_AUDIENCE": AUDIENCE}


@pytest.mark.parametrize("variables", [{}, BY_ISSUER], ids=["none", "issuer"])
def test_public_keys_are_off_without_a_url(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Only ``BETTER_AUTH_JWKS_URL`` may enable public keys."""
    assert load(monkeypatch, **variables)["BETTER_AUTH"]["JWKS"] == ()


@pytest.mark.parametrize(
    ("variables", "issuer_and_audience"),
    [
        ({}, (FRONT_END, FRONT_END)),
        (BY_ISSUER, (ISSUER, FRONT_END)),
        (BY_AUDIENCE, (FRONT_END, AUDIENCE)),
        ({**BY_ISSUER, **BY_AUDIENCE}, (ISSUER, AUDIENCE)),
        ({"BETTER_AUTH_URL": "", **BY_ISSUER, **BY_AUDIENCE}, (ISSUER, AUDIENCE)),
        ({"BETTER_AUTH_URL": f"{FRONT_END}/"}, (FRONT_END, FRONT_END)),
        ({"BETTER_AUTH_URL": f"{FRONT_END}/api/auth"}, (FRONT_END, FRONT_END)),
        ({"BETTER_AUTH_URL": "HTTPS://App.Example.com:443"}, ("https://app.example.com",) * 2),
    ],
    ids=repr,
)
def test_issuer_and_audience_default_to_the_front_ends_origin(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], issuer_and_audience: tuple[str, str]
) -> None:
    """Issuer and audience must default to the front end's origin, as in Better Auth.

    The defaults apply only to tokens signed with a private key; explicit values apply to all tokens
    (docs/contract.md, "Authentication").
    """
    settings = load(monkeypatch, BETTER_AUTH_JWKS_URL=URL, **variables)["BETTER_AUTH"]

    given = [variables.get(f"BETTER_AUTH_{name}", "") for name in ("ISSUER", "AUDIENCE")]
    assert settings["JWKS"] == (URL, *issuer_and_audience)
    assert [settings["ISSUER"], settings["AUDIENCE"]] == given


@pytest.mark.parametrize(
    "url",
    [
        "true",
        "/api/auth/jwks",
        "app.example.com/api/auth/jwks",
        "file:///etc/passwd",
        "ftp://app.example.com/jwks",
        "data:application/json,{}",
        "https://",
        "https://app.example.com:port/jwks",
        "https://app.example.com",
        "https://app.example.com/",
        "https://user:password@app.example.com/jwks",
        "https://app.example.com/api auth/jwks",
        "'https://app.example.com/jwks'",
        "https://app.example.com/schlüssel",
        "https://app.example.com/\x7f",
        "https://a.example.com/jwks,https://b.example.com/jwks",
    ],
)
def test_a_malformed_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A malformed URL must be refused: tokens signed with a private key would all cause a 503."""
    with pytest.raises(ImproperlyConfigured, match=r"^BETTER_AUTH_JWKS_URL must (be a URL|not)"):
        load(monkeypatch, BETTER_AUTH_JWKS_URL=url)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://straße.example/jwks?a=b", "https://xn--strae-oqa.example/jwks?a=b"),
        ("HTTPS://App.Example.com:443/API/jwks#keys", "https://app.example.com/API/jwks"),
        ("http://[0::1]:3000/jwks", "http://[::1]:3000/jwks"),
    ],
)
def test_the_keys_are_those_of_the_host_that_a_browser_would_ask(
    monkeypatch: pytest.MonkeyPatch, given: str, url: str
) -> None:
    """Python's own codec would fetch the keys of ``straße.example`` from ``strasse.example``."""
    assert load(monkeypatch, BETTER_AUTH_JWKS_URL=given)["BETTER_AUTH"]["JWKS"][0] == url


def test_several_front_ends_are_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a list in BETTER_AUTH_URL, the issuer and the audience must be set."""
    front_ends = f"{FRONT_END},https://b.example"
    with pytest.raises(ImproperlyConfigured, match=r" a single BETTER_AUTH_URL as the default"):
        load(monkeypatch, BETTER_AUTH_JWKS_URL=URL, BETTER_AUTH_URL=front_ends)


@pytest.mark.parametrize("variables", [{}, BY_ISSUER, BY_AUDIENCE], ids=repr)
def test_a_url_without_issuer_or_audience_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """An issuer and an audience must be required, or tokens for other services would be valid."""
    with pytest.raises(ImproperlyConfigured, match=r"^BETTER_AUTH_JWKS_URL needs BETTER_AUTH_ISS"):
        load(monkeypatch, BETTER_AUTH_JWKS_URL=URL, BETTER_AUTH_URL="", **variables)
