"""Tests of the system checks for secrets."""

import hashlib

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from pytest_django.fixtures import Settings

from authn import secrets
from authn.checks import AMBIGUOUS_SECRET, LEFT_OVER_SECRET, MONOTONOUS_SECRET, PUBLISHED_SECRET
from conftest import SECRET

PUBLISHED = "a-secret-from-public-documentation-0123456"


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(PUBLISHED.encode()).hexdigest()
    monkeypatch.setattr(secrets, "PUBLISHED_SECRET_DIGESTS", frozenset({digest}))


def accept(settings: Settings, *secrets: str) -> None:
    """Set the accepted secrets."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": secrets}


def warnings() -> list[CheckMessage]:
    """Run all checks and return the warnings about published secrets."""
    return [message for message in run_checks() if message.id == PUBLISHED_SECRET]


@pytest.mark.parametrize("accepted", [(PUBLISHED,), (PUBLISHED, SECRET), (SECRET, PUBLISHED)])
def test_a_published_secret_causes_one_warning(
    settings: Settings, accepted: tuple[str, ...]
) -> None:
    """A published secret must be detected at any position; others must cause no warning."""
    before = warnings()

    accept(settings, *accepted)

    assert (before, [message.is_serious() for message in warnings()]) == ([], [False])


def test_the_warning_names_the_variable_and_the_fix_but_not_the_secret(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """``check`` must succeed, tell an operator what to change, and not show the value (FR-017)."""
    accept(settings, PUBLISHED)

    call_command("check")

    stderr = capsys.readouterr().err
    assert PUBLISHED not in stderr
    assert [
        text
        for text in (PUBLISHED_SECRET, "BETTER_AUTH_SECRET", "openssl rand")
        if text not in stderr
    ] == []


@pytest.mark.parametrize("is_left_over", [True, False])
def test_a_secret_left_behind_by_a_rotation_causes_a_warning(
    settings: Settings, is_left_over: bool
) -> None:
    """An old secret must be reported until it is removed, because it is still accepted."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRET_IS_LEFT_OVER": is_left_over}

    assert (LEFT_OVER_SECRET in [message.id for message in run_checks()]) is is_left_over


@pytest.mark.parametrize("character", ["$", "#", "\\", "'", '"', "`"])
def test_a_secret_that_better_auth_may_read_differently_causes_a_warning(
    settings: Settings, capsys: pytest.CaptureFixture[str], character: str
) -> None:
    """The warning must appear once, for any of the secrets, and not show it (FR-017)."""
    ambiguous = f"{SECRET[:20]}{character}{SECRET[20:]}"
    accept(settings, SECRET, ambiguous, f"{ambiguous}2")

    call_command("check")

    stderr = capsys.readouterr().err
    assert stderr.count(f"({AMBIGUOUS_SECRET}) ") == 1
    assert "Better Auth may read another secret" in stderr
    assert ambiguous not in stderr


def test_a_secret_that_is_read_alike_causes_no_warning(settings: Settings) -> None:
    """Base64, hex, a phrase, and the characters that no .env reader treats specially must pass."""
    accept(
        settings,
        "+/aZ09" * 7 + "==",
        "0123456789abcdef" * 4,
        "four words " * 4 + "!",
        "-_.~!%^&*" * 4,
    )

    assert AMBIGUOUS_SECRET not in [message.id for message in run_checks()]


@pytest.mark.parametrize(("secret", "is_reported"), [("x" * 40, True), ("abcde" * 8, False)])
def test_a_secret_of_few_characters_causes_a_warning(
    settings: Settings, secret: str, is_reported: bool
) -> None:
    """A secret such as forty times the same letter works, but can be guessed."""
    accept(settings, SECRET, secret)

    assert (MONOTONOUS_SECRET in [message.id for message in run_checks()]) is is_reported
