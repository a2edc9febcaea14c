"""The deployment checks of ``todo_project.checks``."""

from typing import Any

import pytest
from django.core.checks import WARNING, run_checks
from pytest_django.fixtures import Settings

from todo_project import checks
from todo_project.checks import ANY_HOST, DERIVED_SECRET_KEY, NO_ORIGIN, NOT_PREPARED

DEPLOYMENT_CHECKS = {ANY_HOST, DERIVED_SECRET_KEY, NO_ORIGIN, NOT_PREPARED}
RECOMMENDED = {
    "SECRET_KEY_IS_DERIVED": False,
    "ALLOWED_HOSTS": ["api.example"],
    "CORS_ORIGINS": ["https://app.example"],
}


def found(settings: Settings, **changes: Any) -> dict[str, int]:
    """Run all checks on the recommended settings with these changes.

    Returns:
        The levels of the deployment checks that fail, by id.
    """
    for name, value in {**RECOMMENDED, **changes}.items():
        setattr(settings, name, value)
    messages = run_checks(include_deployment_checks=True)
    return {
        str(message.id): message.level for message in messages if message.id in DEPLOYMENT_CHECKS
    }


def test_a_questionable_setting_is_reported(settings: Settings) -> None:
    """Each setting must be reported by its own check, and some as Warnings."""
    changes: dict[str, Any] = {
        "": {},
        DERIVED_SECRET_KEY: {"SECRET_KEY_IS_DERIVED": True},
        ANY_HOST: {"ALLOWED_HOSTS": ["*"]},
        f"{ANY_HOST} too": {"ALLOWED_HOSTS": ["api.example", "*"]},
        NO_ORIGIN: {"CORS_ORIGINS": []},
        NOT_PREPARED: {"DATABASE_PREPARED": True},
    }
    messages = {name: found(settings, **changed) for name, changed in changes.items()}

    assert {name: list(each) for name, each in messages.items()} == {
        name: name.split()[:1] for name in changes
    }
    assert [name for name in changes for level in messages[name].values() if level >= WARNING] == [
        NO_ORIGIN,
        NOT_PREPARED,
    ]


def test_prepared_statements_that_take_effect_are_not_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check must read what ``database_settings`` made of the variable."""
    monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], "prepare_threshold", 0)

    assert found(settings, DATABASE_PREPARED=True) == {}


def test_every_check_has_a_hint(settings: Settings) -> None:
    """Every message must have a hint, and none may show the secret key (FR-017)."""
    settings.SECRET_KEY_IS_DERIVED, settings.ALLOWED_HOSTS, settings.CORS_ORIGINS = True, ["*"], []
    settings.DATABASE_PREPARED = True

    messages = checks.check_deployment(None)

    assert {message.id for message in messages} == DEPLOYMENT_CHECKS
    assert all(message.hint for message in messages)
    assert not [message for message in messages if settings.SECRET_KEY in str(message)]


def test_the_checks_run_only_with_deploy(settings: Settings) -> None:
    """Without ``--deploy``, as in development, no deployment check may run."""
    settings.CORS_ORIGINS = []

    assert not [message for message in run_checks() if message.id in DEPLOYMENT_CHECKS]
