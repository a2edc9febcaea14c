"""Invalid variables stop the process without showing their values (FR-017, FR-020)."""

import traceback
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from todo_project.tests.live_server import Deployment, run, write_env
from todo_project.tests.settings_loader import DATABASE_URL, PRODUCTION, load, load_served

HIDDEN = "x7Qp2mVz9Lk4"  # part of the values that must not be shown
NO_ORIGIN = "must hold origins"
# a variable, an invalid value, and the start of the message after the variable's name
REFUSED = [
    ("BETTER_AUTH_SECRET", "", "is not set."),
    ("BETTER_AUTH_SECRET", HIDDEN, "is shorter than 32 bytes"),
    (
        "BETTER_AUTH_SECRET",
        f"your-secret-key-change-me-in-production-{HIDDEN}",
        "is still a placeholder",
    ),
    ("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890", "is "),
    ("BETTER_AUTH_SECRETS", HIDDEN * 3, ""),
    ("BETTER_AUTH_SECRETS", f"2:{HIDDEN}", ""),
    ("NEON_DATABASE_URL", HIDDEN, "is not a "),
    ("NEON_DATABASE_URL", f"mysql://todo:{HIDDEN}@db.example.com/todo", "is not a "),
    ("NEON_DATABASE_URL", f"postgresql://todo:{HIDDEN}#@db.example.com/todo", "is not a "),
    ("NEON_DATABASE_URL", f"postgresql://todo:{HIDDEN}@db.example.com:port/todo", "is not a "),
    ("ALLOWED_HOSTS", f"a.example,https://{HIDDEN}.example", "must hold host names"),
    ("ALLOWED_ORIGINS", f"https://{HIDDEN}\u2615.example", NO_ORIGIN),
    ("CSRF_TRUSTED_ORIGINS", f"https://user:{HIDDEN}@app.example.com", NO_ORIGIN),
    ("BETTER_AUTH_JWKS_URL", f"https://user:{HIDDEN}@app.example.com/jwks", "must be a URL"),
    *(
        (variable, value, NO_ORIGIN)
        for variable in ("ALLOWED_ORIGINS", "BETTER_AUTH_URL")
        for value in ("*", "null", "https://a.example.com,*", "a.example.com")
    ),
]
WRONG_HOST = "must be an IP address or a host name"
BOOLS = ("DEBUG", "API_DOCS", "TRUST_PROXY", "METRICS", "DATABASE_PREPARED")
# as above; the rest of the message says what is accepted
INVALID = [
    *((variable, "perhaps", "must be true or false.") for variable in BOOLS),
    ("LOG_LEVEL", "loud", "must be DEBUG, INFO, WARNING or ERROR."),
    *(
        ("PORT", value, "must be a whole number from 1 to 65535.")
        for value in ("http", "0", "99999")
    ),
    *(
        ("WEB_CONCURRENCY", value, "must be a whole number from 1 to 1000.")
        for value in ("0", "two", "-1", "1001")
    ),
    *(
        (variable, value, "must be a whole number from 1 to 86400.")
        for variable in ("HEADER_TIMEOUT", "BODY_TIMEOUT", "SEND_TIMEOUT")
        for value in ("0", "1.5", "10s")
    ),
    *(
        ("THROTTLE_RATE", value, "must be a number of requests per")
        for value in ("often", "100", "0/minute", "100 / minute", "1_000/hour")
    ),
    ("WEB_CONCURRENCY", "", "must not be empty: gunicorn would not start."),
    ("THROTTLE_RATE", "'100/minute'", "must not begin or end with a quotation mark"),
    ("BETTER_AUTH_URL", "'https://a.example'", "must not begin or end with a quotation mark"),
    *(
        ("HOST", value, WRONG_HOST)
        for value in (
            *(
                "http://0.0.0.0",
                "0.0.0.0:8000",
                "localhost:8000",
                "[::]:8000",
                "[::",
                "unix:/a.sock",
            ),
            *("*", "0.0.0", "256.1.1.1", "fe80::1%lo", "a host", "a..b", "8000", "0.0.0.0/0"),
        )
    ),
]


@pytest.mark.parametrize("debug", ["false", "true"])
def test_an_invalid_value_is_an_error_that_names_the_variable_and_hides_the_value(
    monkeypatch: pytest.MonkeyPatch, debug: str
) -> None:
    """The error must name the variable and not show its value (FR-017, FR-020)."""

    def message(variable: str, value: str) -> str:
        with pytest.raises(ImproperlyConfigured) as refused:
            load(monkeypatch, **{"DEBUG": debug, variable: value})
        return "".join(traceback.format_exception(refused.value))

    messages = [(*row, message(*row[:2])) for row in REFUSED]
    assert [
        row
        for row in messages
        if f"ImproperlyConfigured: {row[0]} {row[2]}" not in row[3]
        or HIDDEN in row[3]
        or (len(row[1]) > 16 and row[1] in row[3])
    ] == []


def test_gunicorn_refuses_to_start_with_a_one_line_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server must exit with the reason, and without the value, before it listens (FR-020)."""
    expected = [
        *((variable, value, f"{variable} {message}") for variable, value, message in REFUSED),
        *((variable, value, f"{variable} {message}") for variable, value, message in INVALID),
        ("NEON_DATABASE_URL_FILE", "missing", "NEON_DATABASE_URL_FILE must name a readable file"),
        ("NEON_DATABASE_URL", "", "NEON_DATABASE_URL is not set."),
    ]

    def message(variable: str, value: str) -> str:
        with pytest.raises(SystemExit) as ended:
            load_served(monkeypatch, **{**PRODUCTION, variable: value})
        return str(ended.value.code)

    messages = [(*row, message(*row[:2])) for row in expected]
    assert [
        row
        for row in messages
        if not row[3].startswith(row[2]) or "\n" in row[3] or HIDDEN in row[3]
    ] == []


def test_a_command_and_the_server_exit_if_a_variable_is_missing(project: Path) -> None:
    """Both must exit with code 1 and one line on standard error."""
    variables = {**PRODUCTION, "HOST": "127.0.0.1"}
    del variables["BETTER_AUTH_SECRET"]

    command = run(project, "manage.py", "migrate", **variables)
    server = run(project, "-m", "gunicorn", "todo_project.wsgi", **variables)

    assert (command.returncode, server.returncode) == (1, 1)
    assert (command.stdout, server.stdout) == ("", "")
    assert command.stderr == server.stderr
    [line] = server.stderr.splitlines()
    assert line.startswith("BETTER_AUTH_SECRET is not set.")


def test_a_database_is_required_and_an_error_names_the_variable_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelled variable name must not cause tasks to be stored in a file in the container."""
    with pytest.raises(ImproperlyConfigured, match=r"^NEON_DATABASE_URL is not set"):
        load(monkeypatch, NEON_DATABASE_URL="")
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL is not a "):
        load(monkeypatch, NEON_DATABASE_URL="", DATABASE_URL=HIDDEN)


def test_the_plans_four_variables_pass_the_deployment_check(project: Path) -> None:
    """The plan's production ``.env`` must pass without a warning (SC-010)."""
    write_env(project, DATABASE_URL)

    checked = run(project, "manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert (checked.returncode, "WARNINGS" in checked.stderr) == (0, False), checked.stderr


def test_debug_fails_the_deployment_check(settings: Settings) -> None:
    """A deployment with DEBUG on must be reported."""
    settings.DEBUG = True

    with pytest.raises(CommandError, match=r"security\.W018"):
        call_command("check", deploy=True, fail_level="WARNING")


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    """The migrations must match the models."""
    call_command("makemigrations", check_changes=True, dry_run=True)


def test_migrate_uses_the_unpooled_database(project: Path) -> None:
    """`migrate` must not use the pooler, through which its locks do not work."""
    variables = {
        **PRODUCTION,
        "NEON_DATABASE_URL": "sqlite:///pooled.sqlite3",
        "DATABASE_URL_UNPOOLED": "sqlite:///unpooled.sqlite3",
    }

    migrated = run(project, "manage.py", "migrate", "--verbosity=0", **variables)

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert [file.name for file in project.glob("*.sqlite3")] == ["unpooled.sqlite3"]
    unpooled = Deployment(project, f"sqlite:///{project / 'unpooled.sqlite3'}")
    assert unpooled.query("SELECT name FROM sqlite_master WHERE name = 'task'") == [("task",)]
