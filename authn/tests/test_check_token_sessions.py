"""Tests of ``manage.py check_token``: session tokens, with ``BETTER_AUTH_SESSIONS``."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from authn.tests.better_auth_tokens import OTHER_SECRET, compact, hand_written
from authn.tests.check_token_runner import explain
from authn.tests.session_table import TOKEN, add, signed
from conftest import mint

UNKNOWN = "x" * 32
FAR = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("token", [TOKEN, signed()], ids=["alone", "signed"])
def test_an_accepted_session_is_described(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """The user and the expiry must be those of the table, and no part of the token be shown."""
    add(expires=FAR.isoformat())

    lines = explain(monkeypatch, token)

    assert "session token" in lines["Kind"]
    assert lines["Expires"] == "2999-12-31 23:59:59 UTC (in the future)"
    assert lines["User"] == "'alice'"
    assert lines["The API"] == "accepts it on /api/alice/tasks"
    assert lines["Front end"].endswith("Take the user's id from the session.")
    assert not [part for part in token.split(".") if part in str(lines)]


@pytest.mark.django_db
@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize(
    ("token", "reason", "advice"),
    [
        (UNKNOWN, "unknown_session", "Sign in again. If that does not help"),
        (signed(UNKNOWN), "unknown_session", "compare the databases"),
        (signed(secret=OTHER_SECRET), "wrong_signature", "Compare the fingerprints."),
        (f"{TOKEN}.x", "malformed", "the cookie's value as it is"),
        (TOKEN, "expired", "Sign in again."),
        (compact(), "malformed", "send a token made for the API"),
    ],
    ids=["unknown", "unknown, signed", "other secret", "damaged", "expired", "another cookie"],
)
def test_a_refused_session_is_explained(
    monkeypatch: pytest.MonkeyPatch, token: str, reason: str, advice: str
) -> None:
    """The advice must not be to use a JWT: session tokens are accepted."""
    add(expires=(datetime.now(UTC) - timedelta(hours=1)).isoformat())

    lines = explain(monkeypatch, token)

    assert lines["The API"].startswith(f"refuses it ({reason}). ")
    assert advice in lines["What to do"]
    assert not [part for part in token.split(".") if len(part) > 5 and part in str(lines)]


@pytest.mark.django_db(transaction=True)
def test_a_missing_table_is_explained(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The output must say what the API answers, and which right it needs."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SESSIONS": True}

    lines = explain(monkeypatch, TOKEN)

    assert lines["The API"].startswith("refuses it (no_session_table). ")
    assert "so the API answers 503" in lines["The API"]
    assert "the right to read it" in lines["What to do"]


@pytest.mark.django_db
@pytest.mark.usefixtures("sessions")
def test_a_jwt_is_explained_as_without_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting must not change what is said about a JWT."""
    assert explain(monkeypatch, hand_written())["The API"] == "accepts it on /api/alice/tasks"
    assert "(expired)" in explain(monkeypatch, mint(exp=1))["The API"]
