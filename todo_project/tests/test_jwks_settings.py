"""Where the issuer's public keys are, and who must have signed for whom."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from conftest import FRONT_END
from todo_project.tests.settings_loader import load

URL = f"{FRONT_END}/api/auth/jwks"
ISSUER, AUDIENCE = "https://issuer.example.com", "the-api"
BY_ISSUER, BY_AUDIENCE = {"BETTER_AUTH_ISSUER": ISSUER}, {"BETTER_AUTH_AUDIENCE": AUDIENCE}


@pytest.mark.parametrize("variables", [{}, BY_ISSUER], ids=["none", "issuer"])
def test_without_a_url_there_are_no_public_keys(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Public keys are opt-in, by their URL and nothing else."""
    assert load(monkeypatch, **variables)["BETTER_AUTH"]["JWKS"] == ()


@pytest.mark.parametrize(
    ("variables", "parties"),
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
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], parties: tuple[str, str]
) -> None:
    """Better Auth writes the origin of its base URL into its tokens, so that must be expected.

    The default binds the tokens of public keys only; what is set binds those of the secret too
    (docs/contract.md, "Who may come in").
    """
    settings = load(monkeypatch, BETTER_AUTH_JWKS_URL=URL, **variables)["BETTER_AUTH"]

    given = [variables.get(f"BETTER_AUTH_{name}", "") for name in ("ISSUER", "AUDIENCE")]
    assert settings["JWKS"] == (URL, *parties)
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
    ],
)
def test_what_is_no_url_stops_the_start(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A URL that can never be fetched must not turn every token into a 503."""
    with pytest.raises(ImproperlyConfigured, match=r"^BETTER_AUTH_JWKS_URL must be a URL such as"):
        load(monkeypatch, BETTER_AUTH_JWKS_URL=url)


@pytest.mark.parametrize("variables", [{}, BY_ISSUER, BY_AUDIENCE], ids=repr)
def test_keys_without_an_issuer_or_an_audience_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Such a key set would let in tokens that were made for other services."""
    with pytest.raises(ImproperlyConfigured, match=r"^BETTER_AUTH_JWKS_URL needs BETTER_AUTH_ISS"):
        load(monkeypatch, BETTER_AUTH_JWKS_URL=URL, BETTER_AUTH_URL="", **variables)
