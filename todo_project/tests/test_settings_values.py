"""The effect of each variable on the settings of Django and gunicorn."""

import logging
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from conftest import FRONT_END, SECRET
from todo_project.configuration.environment import BASE_DIR
from todo_project.configuration.secret_key import derived_secret_key
from todo_project.tests.settings_loader import PRODUCTION, load, load_served

NEW, OLD = "the-new-secret-of-the-tests-0123456789", "the-old-secret-of-the-tests-0123456789"
URL = "postgresql://todo@{}/todo".format


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {},
            {
                "DEBUG": False,
                "ALLOWED_HOSTS": ["*"],
                "SECURE_PROXY_SSL_HEADER": None,
                "SECRET_KEY": derived_secret_key(SECRET),
                "SECRET_KEY_IS_DERIVED": True,
            },
        ),
        ({"DEBUG": "true"}, {"DEBUG": True}),
        ({"ALLOWED_HOSTS": "a.example, b.example,"}, {"ALLOWED_HOSTS": ["a.example", "b.example"]}),
        (
            {"TRUST_PROXY": "true"},
            {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        ),
        ({"DJANGO_SECRET_KEY": NEW}, {"SECRET_KEY": NEW, "SECRET_KEY_IS_DERIVED": False}),
        (
            {"BETTER_AUTH_SECRETS": f"2:{NEW}, 1:{OLD}"},
            {"SECRET_KEY": derived_secret_key(NEW)},
        ),
        ({"BETTER_AUTH_URL": ""}, {"CORS_ORIGINS": []}),
        (
            {"ALLOWED_ORIGINS": "https://a.example/, ,HTTPS://B.example:443"},
            {"CORS_ORIGINS": [FRONT_END, "https://a.example", "https://b.example"]},
        ),
        ({"ALLOWED_HOSTS": "*", "DEBUG": "1"}, {"APPEND_SLASH": False}),
    ],
    ids=repr,
)
def test_a_variable_sets_its_setting(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, Any]
) -> None:
    """A setting must have the value of its variable, or its default (FR-020)."""
    settings = load(monkeypatch, **variables)

    assert {name: settings[name] for name in expected} == expected


def test_the_secrets_of_the_list_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """``BETTER_AUTH_SECRETS`` must precede ``BETTER_AUTH_SECRET``; both must be accepted."""
    settings = load(monkeypatch, BETTER_AUTH_SECRETS=f"2:{NEW}, 1:{OLD}")

    assert settings["BETTER_AUTH"]["SECRETS"] == (NEW, OLD, SECRET)


@pytest.mark.parametrize(
    ("debug", "level", "form"), [("true", "DEBUG", "text"), ("false", "warning", "json")]
)
def test_debug_and_log_level_set_the_format_and_the_level_of_the_log(
    monkeypatch: pytest.MonkeyPatch, debug: str, level: str, form: str
) -> None:
    """The log must be text with DEBUG and JSON without; ``LOG_LEVEL`` must be case-insensitive."""
    found = load(monkeypatch, DEBUG=debug, LOG_LEVEL=level)["LOGGING"]

    assert found["handlers"]["stdout"]["formatter"] == form
    assert logging.getLevelName(found["root"]["level"]) == level.upper()


def test_debug_defaults_to_a_database_in_the_projects_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Development must not need a database server."""
    database = load(monkeypatch, NEON_DATABASE_URL="", DEBUG="true")["DATABASES"]["default"]

    assert database["ENGINE"] == "todo_project.sqlite"
    assert str(database["NAME"]) == str(BASE_DIR / "db.sqlite3")


@pytest.mark.parametrize(
    ("arguments", "variables", "host"),
    [
        (["migrate", "tasks"], {"DATABASE_URL_UNPOOLED": URL("direct")}, "direct"),
        (["check"], {"DATABASE_URL_UNPOOLED": URL("direct")}, "db.example.com"),
        ([], {"DATABASE_URL_UNPOOLED": URL("direct")}, "db.example.com"),
        ([], {"DATABASE_URL": URL("second")}, "db.example.com"),
        ([], {"DATABASE_URL": URL("second"), "NEON_DATABASE_URL": ""}, "second"),
    ],
)
def test_only_migrate_uses_the_unpooled_database(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], variables: dict[str, str], host: str
) -> None:
    """Only `migrate` may bypass the pooler; ``NEON_DATABASE_URL`` must take precedence (FR-006)."""
    assert load(monkeypatch, *arguments, **variables)["DATABASES"]["default"]["HOST"] == host


@pytest.mark.parametrize("arguments", [[], ["check"], ["migrate"]])
@pytest.mark.parametrize("url", ["garbage", f"{URL('direct')}?pgbouncer=true"])
def test_a_mistake_in_a_url_is_found_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], url: str
) -> None:
    """Every process must refuse the URL that only `migrate` uses, and `migrate` the other."""
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL_UNPOOLED is not a "):
        load(monkeypatch, *arguments, DATABASE_URL_UNPOOLED=url)
    with pytest.raises(ImproperlyConfigured, match=r"^NEON_DATABASE_URL is not a "):
        load(monkeypatch, *arguments, NEON_DATABASE_URL=url, DATABASE_URL_UNPOOLED=URL("direct"))


def test_a_url_that_no_process_uses_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """``DATABASE_URL`` may be the front end's if ``NEON_DATABASE_URL`` is set."""
    found = load(monkeypatch, DATABASE_URL=f"{URL('prisma')}?schema=public")

    assert found["DATABASES"]["default"]["HOST"] == "db.example.com"


def test_the_patience_with_slow_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each limit must have its own variable, in seconds."""
    names = ("HEADER_TIMEOUT", "BODY_TIMEOUT", "SEND_TIMEOUT")
    found = load(monkeypatch, **{name: str(number) for number, name in enumerate(names, 1)})

    assert found["CLIENT_SECONDS"] == {"head": 1, "body": 2, "send": 3}
    for name in names:
        with pytest.raises(ImproperlyConfigured, match=f"^{name} must be a whole number from 1 to"):
            load(monkeypatch, **{name: "0"})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"HOST": "", "PORT": ""},
            {"bind": "0.0.0.0:8000", "workers": 2, "control_socket_disable": True},
        ),
        (
            {"HOST": "127.0.0.1", "PORT": "8123", "WEB_CONCURRENCY": "5", "LOG_LEVEL": "WARNING"},
            {"bind": "127.0.0.1:8123", "workers": 5, "loglevel": "warning"},
        ),
        ({"HOST": "::1"}, {"bind": "[::1]:8000"}),
        ({"HOST": "[::]", "PORT": " 8123 "}, {"bind": "[::]:8123"}),
        ({"HOST": "api-1.internal"}, {"bind": "api-1.internal:8000"}),
    ],
)
def test_variables_set_gunicorns_settings(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, Any]
) -> None:
    """``gunicorn todo_project.wsgi`` must not need command-line options (SC-010)."""
    served = load_served(monkeypatch, **PRODUCTION, **variables)

    assert {name: served[name] for name in expected} == expected
