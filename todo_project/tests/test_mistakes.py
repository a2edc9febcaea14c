"""No mistake of an operator starts in silence, and no right value is an alarm (FR-020, FR-017)."""

import re

import pytest
from django.core.checks import WARNING, CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from todo_project.tests.mistakes import PASSWORD, REFUSED, RIGHT, WARNED
from todo_project.tests.settings_loader import PRODUCTION, load_served

MISTAKES = [(name, value) for name, values in REFUSED.items() for value in values]
# The settings that the checks read, without the database's, which cannot be replaced at run time
CHECKED = ("BETTER_AUTH", "CORS_ORIGINS", "DATABASE_PREPARED", "DEBUG")


@pytest.mark.parametrize(("variable", "value"), MISTAKES)
def test_a_value_that_cannot_work_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The server must not start; one line must name the variable and not show its value."""
    with pytest.raises((ImproperlyConfigured, ValueError, SystemExit)) as refused:
        load_served(monkeypatch, **PRODUCTION | {variable: value})

    message = str(refused.value)
    assert re.match(rf"{variable}\b", message)
    assert "\n" not in message
    assert PASSWORD not in message
    assert len(value) < 12 or value not in message


def warnings_of(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, variables: dict[str, str]
) -> list[CheckMessage]:
    """Return the warnings of this service's checks, with these variables."""
    loaded = load_served(monkeypatch, **PRODUCTION | variables)
    for name in CHECKED:
        setattr(settings, name, loaded[name])
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    own = ("authn.", "tasks.", "todo_project.")
    found = run_checks(include_deployment_checks=True)
    return [each for each in found if each.level >= WARNING and str(each.id).startswith(own)]


@pytest.mark.parametrize(("name", "variables"), WARNED)
def test_a_value_that_looks_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    name: str,
    variables: dict[str, str],
) -> None:
    """`check --deploy` must name the variable, without its value."""
    [warning] = warnings_of(monkeypatch, settings, variables)

    assert name in f"{warning.msg} {warning.hint}"
    for value in filter(None, variables.values()):
        assert value not in f"{warning.msg} {warning.hint}"


@pytest.mark.parametrize("variables", RIGHT, ids=repr)
def test_a_right_value_is_silent(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, variables: dict[str, str]
) -> None:
    """A value that works must neither stop the start nor be named."""
    assert warnings_of(monkeypatch, settings, variables) == []
