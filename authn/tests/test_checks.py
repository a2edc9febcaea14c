"""What a start warns of."""

import hashlib

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from pytest_django.fixtures import Settings

from authn import secrets
from authn.checks import LEFT_OVER_SECRET, PUBLISHED_SECRET
from conftest import SECRET

MEND = "openssl rand"
PUBLISHED = "a-key-that-stands-in-a-public-document-0123"


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(PUBLISHED.encode()).hexdigest()
    monkeypatch.setattr(secrets, "PUBLISHED_KEY_DIGESTS", frozenset({digest}))


def accept(settings: Settings, *secrets: str) -> None:
    """Configure these secrets."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": secrets}


def warnings() -> list[CheckMessage]:
    """Return the check's messages, run as ``manage.py check`` runs it."""
    return [message for message in run_checks() if message.id == PUBLISHED_SECRET]


@pytest.mark.parametrize("accepted", [(PUBLISHED,), (PUBLISHED, SECRET), (SECRET, PUBLISHED)])
def test_a_published_secret_is_warned_of_once(
    settings: Settings, accepted: tuple[str, ...]
) -> None:
    """Anybody can sign with it, whichever of the accepted ones it is; another starts silently."""
    before = warnings()

    accept(settings, *accepted)

    assert (before, [message.is_serious() for message in warnings()]) == ([], [False])


def test_check_warns_with_the_variable_and_the_mend_and_does_not_stop_the_start(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its reader must know what to change, and must not be shown the value (FR-017)."""
    accept(settings, PUBLISHED)

    call_command("check")

    said = capsys.readouterr().err
    assert PUBLISHED not in said
    assert [
        text for text in (PUBLISHED_SECRET, "BETTER_AUTH_SECRET", MEND) if text not in said
    ] == []


@pytest.mark.parametrize("is_left_over", [True, False])
def test_a_secret_that_a_rotation_left_behind_is_warned_of(
    settings: Settings, is_left_over: bool
) -> None:
    """Who forgets it keeps a secret alive that was to be replaced."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRET_IS_LEFT_OVER": is_left_over}

    assert (LEFT_OVER_SECRET in [message.id for message in run_checks()]) is is_left_over
