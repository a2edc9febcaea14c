"""``manage.py issue_token``: a token for development."""

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
OUT_OF_RANGE = f"--minutes must be 1 to {A_YEAR}, a year"


@pytest.fixture
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def issue(*arguments: str, **options: Any) -> str:
    """Return what the command prints, line break and all."""
    printed = io.StringIO()
    call_command("issue_token", *arguments, stdout=printed, **options)
    return printed.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("_debug")
def test_the_token_opens_its_users_tasks() -> None:
    """What is printed, and nothing else is, must be a token that the API accepts (FR-001)."""
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
def test_the_token_expires_when_it_was_told_to(options: list[str], minutes: int) -> None:
    """``--minutes`` must count from now, and be an hour by default."""
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
        *(([bad], "A user's id has 1 to 255 chara") for bad in ("", "x" * 256, "a\0b", "\ud800")),
        ([], "arguments are required: user"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_bad_input_is_refused(arguments: list[str], message: str) -> None:
    """A token must have a user and a lifetime that make sense; an error is no trace (FR-002)."""
    with pytest.raises(CommandError, match=message):
        issue(*arguments)


def test_it_must_be_forced_when_debug_is_false() -> None:
    """A token for a deployment must need an explicit choice, never an accident."""
    printed = io.StringIO()
    with pytest.raises(CommandError, match=r"DEBUG is false: --force mints a token"):
        call_command("issue_token", "alice", stdout=printed)

    assert printed.getvalue() == ""
    assert verdict(issue("alice", "--force").strip()) == "alice"


def test_the_first_secret_signs(settings: Settings) -> None:
    """During a rotation the new secret must sign, as at Better Auth."""
    before = settings.BETTER_AUTH
    settings.BETTER_AUTH = {**before, "SECRETS": (NEW_SECRET, SECRET)}
    token = issue("alice", "--force").strip()
    settings.BETTER_AUTH = {**before, "SECRETS": (NEW_SECRET,)}

    assert configured_verifier().claims(token)["sub"] == "alice"


@pytest.mark.parametrize("party", [{"ISSUER": ISSUER}, {"AUDIENCE": ISSUER}], ids=repr)
def test_the_token_has_the_parties_that_every_token_must_have(
    settings: Settings, party: dict[str, str]
) -> None:
    """Where an issuer or audience is configured, what is printed must be accepted too."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, **party}

    claims = configured_verifier().claims(issue_token("alice", lifetime_seconds=60))

    assert sorted(claims) == sorted(["sub", "iat", "exp", "iss" if "ISSUER" in party else "aud"])


@pytest.mark.live
def test_the_exit_code_says_that_there_is_no_token() -> None:
    """``TOKEN=$(…)`` must get a token or nothing."""
    command = [sys.executable, str(BASE_DIR / "manage.py"), "issue_token", "alice"]

    ran = subprocess.run(command, capture_output=True, timeout=60)

    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.startswith(b"CommandError: DEBUG is false")
