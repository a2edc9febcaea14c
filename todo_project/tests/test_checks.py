"""What looks wrong in the settings, and does not have to stop the start."""

from typing import Any

import pytest
from django.core.checks import WARNING, run_checks
from pytest_django.fixtures import Settings

from todo_project import checks
from todo_project.checks import ANY_HOST, DERIVED_SECRET_KEY, NO_ORIGIN

OURS = {ANY_HOST, DERIVED_SECRET_KEY, NO_ORIGIN}
CAREFUL = {
    "SECRET_KEY_IS_DERIVED": False,
    "ALLOWED_HOSTS": ["api.example"],
    "CORS_ORIGINS": ["https://app.example"],
}


def found(settings: Settings, **changes: Any) -> dict[str, int]:
    """Run the deployment check over careful settings with these changes."""
    for name, value in {**CAREFUL, **changes}.items():
        setattr(settings, name, value)
    messages = run_checks(include_deployment_checks=True)
    return {str(message.id): message.level for message in messages if message.id in OURS}


def test_careful_settings_raise_nothing(settings: Settings) -> None:
    """Nothing may be said where nothing is to be done."""
    assert found(settings) == {}


@pytest.mark.parametrize(
    ("changes", "identifier", "fails_a_deployment"),
    [
        ({"SECRET_KEY_IS_DERIVED": True}, DERIVED_SECRET_KEY, False),
        ({"ALLOWED_HOSTS": ["*"]}, ANY_HOST, False),
        ({"ALLOWED_HOSTS": ["api.example", "*"]}, ANY_HOST, False),
        ({"CORS_ORIGINS": []}, NO_ORIGIN, True),
    ],
)
def test_a_setting_that_looks_wrong_has_a_check(
    settings: Settings, changes: dict[str, Any], identifier: str, fails_a_deployment: bool
) -> None:
    """A default may be recommended against; only what is broken may fail a deployment."""
    messages = found(settings, **changes)

    assert list(messages) == [identifier]
    assert (messages[identifier] >= WARNING) == fails_a_deployment


def test_every_check_says_what_to_do(settings: Settings) -> None:
    """A message must come with its mend and show no value (FR-017)."""
    settings.SECRET_KEY_IS_DERIVED, settings.ALLOWED_HOSTS, settings.CORS_ORIGINS = True, ["*"], []

    messages = checks.check_deployment(None)

    assert {message.id for message in messages} == OURS
    assert all(message.hint for message in messages)
    assert not [message for message in messages if settings.SECRET_KEY in str(message)]


def test_the_checks_wait_for_a_deployment(settings: Settings) -> None:
    """A developer must not be told what only a deployment needs."""
    settings.CORS_ORIGINS = []

    assert not [message for message in run_checks() if message.id in OURS]
