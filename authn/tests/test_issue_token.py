"""Tests of ``manage.py issue_token``."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from authn.authentication import configured_verifier
from authn.issuing import issue_token
from authn.tests.forge import verdict
from authn.tests.jwks_server import ISSUER
from conftest import SECRET, ApiClient
from todo_project.configuration.environment import BASE_DIR

NEW_SECRET = "the-secret-after-the-rotation-01234567890"
NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)
A_YEAR = 365 * 24 * 60
OUT_OF_RANGE = rf"--minutes must be between 1 and {A_YEAR} \(a year\)"


@pytest.fixture
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def issue(*arguments: str, **options: Any) -> str:
    """Run the command and return its output, including the trailing newline."""
    stdout = io.StringIO()
    call_command("issue_token", *arguments, stdout=stdout, **options)
    return stdout.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("_debug")
def test_the_api_accepts_the_token() -> None:
    """The output must be one token that the API accepts, and nothing else (FR-001)."""
    tokens = {user: issue(user) for user in ("alice", "7", "zoë", "x" * 255)}

    assert [token.count("\n") for token in tokens.values()] == [1] * 4
    assert {
        user: ApiClient(token=token.strip()).send("GET", f"/api/{user}/tasks").status_code
        for user, token in tokens.items()
    } == dict.fromkeys(tokens, 200)


@pytest.mark.usefixtures("_debug")
@pytest.mark.parametrize(
    ("options", "minutes"),
    [([], 60), (["--minutes", "1"], 1), (["--minutes", str(A_YEAR)], A_YEAR)],
)
def test_the_token_expires_after_the_given_minutes(options: list[str], minutes: int) -> None:
    """The token must expire ``--minutes`` from now, or in an hour by default."""
    with time_machine.travel(NOON, tick=False):
        claims = configured_verifier().claims(issue("alice", *options).strip())
    now = int(NOON.timestamp())

    assert claims == {"sub": "alice", "iat": now, "exp": now + minutes * 60}


@pytest.mark.usefixtures("_debug")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *((["alice", f"--minutes={bad}"], OUT_OF_RANGE) for bad in ("0", "-1", str(A_YEAR + 1))),
        *((["alice", f"--minutes={bad}"], "invalid int value") for bad in ("", "an hour", "1.5")),
        *(
            ([bad], "A user id must have 1 to 255 chara")
            for bad in ("", "x" * 256, "a\0b", "\ud800")
        ),
        ([], "arguments are required: user"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_invalid_arguments_are_refused(arguments: list[str], message: str) -> None:
    """An invalid user id or lifetime must cause an error message, not a traceback (FR-002)."""
    with pytest.raises(CommandError, match=message):
        issue(*arguments)


def test_without_debug_the_command_needs_force() -> None:
    """Issuing a token in production must require an explicit option."""
    stdout = io.StringIO()
    with pytest.raises(CommandError, match=r"DEBUG is false. Use --force"):
        call_command("issue_token", "alice", stdout=stdout)

    assert stdout.getvalue() == ""
    assert verdict(issue("alice", "--force").strip()) == "alice"


def test_the_first_secret_signs(settings: Settings) -> None:
    """During a rotation the new secret must sign, as in Better Auth."""
    before = settings.BETTER_AUTH
    settings.BETTER_AUTH = {**before, "SECRETS": (NEW_SECRET, SECRET)}
    token = issue("alice", "--force").strip()
    settings.BETTER_AUTH = {**before, "SECRETS": (NEW_SECRET,)}

    assert configured_verifier().claims(token)["sub"] == "alice"


@pytest.mark.parametrize(("setting", "claim"), [("ISSUER", "iss"), ("AUDIENCE", "aud")])
def test_the_token_has_the_configured_issuer_and_audience(
    settings: Settings, setting: str, claim: str
) -> None:
    """If the API requires an issuer or an audience, the token must have it."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, setting: ISSUER}

    claims = configured_verifier().claims(issue_token("alice", lifetime_seconds=60))

    assert sorted(claims) == sorted(["sub", "iat", "exp", claim])


@pytest.mark.live
def test_a_refusal_exits_with_1_and_prints_no_token() -> None:
    """``TOKEN=$(…)`` must capture a token or nothing."""
    command = [sys.executable, str(BASE_DIR / "manage.py"), "issue_token", "alice"]

    process = subprocess.run(command, capture_output=True, timeout=60)

    assert (process.returncode, process.stdout) == (1, b"")
    assert process.stderr.startswith(b"CommandError: DEBUG is false")
