"""What each variable does to the settings, and to gunicorn's."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from conftest import FRONT_END, SECRET
from todo_project.keys import derived_secret_key
from todo_project.tests.live_server import run
from todo_project.tests.settings_loader import PRODUCTION, load

NEW, OLD = "the-new-secret-of-the-tests-0123456789", "the-old-secret-of-the-tests-0123456789"


@pytest.mark.parametrize(
    ("variables", "name", "value"),
    [
        ({}, "DEBUG", False),
        ({"DEBUG": "true"}, "DEBUG", True),
        ({}, "ALLOWED_HOSTS", ["*"]),
        ({"ALLOWED_HOSTS": "a.example, b.example,"}, "ALLOWED_HOSTS", ["a.example", "b.example"]),
        ({}, "SECURE_PROXY_SSL_HEADER", None),
        ({"TRUST_PROXY": "true"}, "SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
        ({}, "SECRET_KEY", derived_secret_key(SECRET)),
        ({}, "SECRET_KEY_IS_DERIVED", True),
        ({"DJANGO_SECRET_KEY": NEW}, "SECRET_KEY", NEW),
        ({"DJANGO_SECRET_KEY": NEW}, "SECRET_KEY_IS_DERIVED", False),
        ({"BETTER_AUTH_URL": ""}, "CORS_ORIGINS", []),
        (
            {"ALLOWED_ORIGINS": "https://a.example/, ,HTTPS://B.example:443"},
            "CORS_ORIGINS",
            [FRONT_END, "https://a.example", "https://b.example"],
        ),
        ({"ALLOWED_HOSTS": "*", "DEBUG": "1"}, "APPEND_SLASH", False),
    ],
)
def test_a_variable_sets_what_it_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str, value: Any
) -> None:
    """A setting must come from its variable, else from its default (FR-020)."""
    assert load(monkeypatch, **variables)[name] == value


def test_the_first_of_several_secrets_is_the_one_that_the_key_is_derived_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``BETTER_AUTH_SECRETS`` must stand first (contract.md "Who may come in")."""
    settings = load(monkeypatch, BETTER_AUTH_SECRETS=f"2:{NEW}, 1:{OLD}")

    assert settings["BETTER_AUTH"]["SECRETS"] == (NEW, OLD, SECRET)
    assert settings["SECRET_KEY"] == derived_secret_key(NEW)


@pytest.mark.parametrize("level", ["DEBUG", "warning"])
def test_log_level_sets_what_is_logged(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    """``LOG_LEVEL`` must count in any case."""
    found = load(monkeypatch, LOG_LEVEL=level)["LOGGING"]["root"]["level"]

    assert logging.getLevelName(found) == level.upper()


@pytest.mark.parametrize(("debug", "form"), [("true", "text"), ("false", "json")])
def test_debug_decides_on_the_form_of_the_log(
    monkeypatch: pytest.MonkeyPatch, debug: str, form: str
) -> None:
    """A developer must get text, and a machine JSON."""
    handlers = load(monkeypatch, DEBUG=debug)["LOGGING"]["handlers"]

    assert handlers["stdout"]["formatter"] == form


def test_a_production_start_without_a_database_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mistyped name must not put people's tasks into a container's file."""
    with pytest.raises(ImproperlyConfigured, match=r"^NEON_DATABASE_URL is not set"):
        load(monkeypatch, NEON_DATABASE_URL="")


def test_debug_without_a_database_falls_back_to_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with DEBUG on is a file the default."""
    database = load(monkeypatch, NEON_DATABASE_URL="", DEBUG="true")["DATABASES"]["default"]

    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert Path(database["NAME"]).name == "db.sqlite3"


@pytest.mark.parametrize(
    ("variables", "lines"),
    [
        ({}, {"bind": "['0.0.0.0:8000']", "workers": "2", "control_socket_disable": "True"}),
        (
            {"HOST": "127.0.0.1", "PORT": "8123", "WEB_CONCURRENCY": "5", "LOG_LEVEL": "WARNING"},
            {"bind": "['127.0.0.1:8123']", "workers": "5", "loglevel": "warning"},
        ),
        ({"HOST": "", "PORT": ""}, {"bind": "['0.0.0.0:8000']"}),
    ],
)
def test_the_servers_variables_reach_gunicorn(
    project: Path, variables: dict[str, str], lines: dict[str, str]
) -> None:
    """``gunicorn todo_project.wsgi`` alone must serve as the variables say (SC-010)."""
    printed = run(
        project,
        *("-m", "gunicorn", "--check-config", "--print-config", "todo_project.wsgi"),
        **PRODUCTION,
        **variables,
    )

    config = dict(line.split("=", 1) for line in printed.stdout.splitlines() if "=" in line)
    stripped = {name.strip(): value.strip() for name, value in config.items()}
    assert printed.returncode == 0, printed.stderr
    assert {name: stripped.get(name) for name in lines} == lines


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PORT", "99999"), ("PORT", "http"), ("WEB_CONCURRENCY", "0"), ("LOG_LEVEL", "loud")],
)
def test_a_servers_variable_that_cannot_work_stops_the_start(
    project: Path, variable: str, value: str
) -> None:
    """A refusal must name the variable; no worker at all would answer nobody."""
    started = run(
        project, *("-m", "gunicorn", "todo_project.wsgi"), **PRODUCTION, **{variable: value}
    )

    assert started.returncode != 0
    assert f'"{variable}" invalid' in started.stderr + started.stdout


def test_a_log_level_that_is_none_stops_every_command(project: Path) -> None:
    """A refusal must name the variable (FR-020)."""
    started = run(project, "manage.py", "check", **PRODUCTION, LOG_LEVEL="loud")

    assert started.returncode != 0
    assert '"LOG_LEVEL" invalid' in started.stderr
