"""What starts, what does not, and with which settings; in processes with a clean environment."""

import sqlite3
from pathlib import Path

import pytest

from todo_project.tests.live_server import run, write_env
from todo_project.tests.settings_loader import DATABASE_URL, MODULE, PRODUCTION, load

HIDDEN = "x7Qp2mVz9Lk4"  # part of each refused value
SETUP = ("-c", "import django; django.setup()")
DEPLOY_CHECK = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")


@pytest.mark.parametrize("variable", ["BETTER_AUTH_SECRET", "NEON_DATABASE_URL"])
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_a_start_without_a_required_variable_is_refused(
    project: Path, variable: str, value: str | None
) -> None:
    """A refusal must name what is missing (FR-020)."""
    variables = {name: PRODUCTION[name] for name in PRODUCTION if name != variable}
    if value is not None:
        variables[variable] = value

    started = run(project, *SETUP, **MODULE, **variables)

    assert started.returncode != 0
    assert f"ImproperlyConfigured: {variable} is not set." in started.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BETTER_AUTH_SECRET", HIDDEN),
        ("BETTER_AUTH_SECRET", f"your-secret-key-change-me-in-production-{HIDDEN}"),
        ("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890"),
        ("BETTER_AUTH_SECRETS", HIDDEN * 3),
        ("BETTER_AUTH_SECRETS", f"2:{HIDDEN}"),
        ("NEON_DATABASE_URL", HIDDEN),
        ("NEON_DATABASE_URL", f"mysql://todo:{HIDDEN}@db.example.com/todo"),
        ("NEON_DATABASE_URL", f"postgresql://todo:{HIDDEN}#@db.example.com/todo"),
        ("NEON_DATABASE_URL", f"postgresql://todo:{HIDDEN}@db.example.com:port/todo"),
    ],
)
@pytest.mark.parametrize("debug", ["false", "true"])
def test_a_start_with_a_value_that_cannot_work_is_refused_without_showing_it(
    project: Path, variable: str, value: str, debug: str
) -> None:
    """A refusal must name the variable and never show its value (FR-017, FR-020)."""
    started = run(project, *SETUP, **MODULE, **{**PRODUCTION, "DEBUG": debug, variable: value})

    assert started.returncode != 0
    assert f"ImproperlyConfigured: {variable} " in started.stderr
    assert not [part for part in (value, HIDDEN) if part in started.stderr]


@pytest.mark.parametrize("variable", ["ALLOWED_ORIGINS", "BETTER_AUTH_URL"])
@pytest.mark.parametrize("value", ["*", "null", "https://a.example.com,*", "a.example.com"])
def test_a_start_with_an_origin_that_lets_everybody_in_is_refused(
    project: Path, variable: str, value: str
) -> None:
    """``*`` and ``null`` are refused at the start (contract.md "Cross-origin")."""
    started = run(project, *SETUP, **MODULE, **{**PRODUCTION, variable: value})

    assert started.returncode != 0
    assert f"ImproperlyConfigured: {variable} " in started.stderr


def test_a_malformed_url_in_the_second_database_variable_is_refused_by_its_own_name(
    project: Path,
) -> None:
    """The message must name the variable that was read."""
    variables = {**PRODUCTION, "NEON_DATABASE_URL": "", "DATABASE_URL": HIDDEN}

    started = run(project, *SETUP, **MODULE, **variables)

    assert started.returncode != 0
    assert "ImproperlyConfigured: DATABASE_URL " in started.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("BETTER_AUTH_SECRET", "", "BETTER_AUTH_SECRET is not set."),
        ("BETTER_AUTH_SECRET", HIDDEN, "BETTER_AUTH_SECRET is shorter than 32 bytes"),
        ("NEON_DATABASE_URL", "", "NEON_DATABASE_URL is not set."),
        ("NEON_DATABASE_URL_FILE", "missing", "The value of NEON_DATABASE_URL_FILE must be"),
        ("DEBUG", "perhaps", 'Environment variable "DEBUG" invalid'),
        ("PORT", "http", 'Environment variable "PORT" invalid'),
    ],
)
def test_gunicorn_says_in_one_line_what_it_does_not_start_with(
    project: Path, variable: str, value: str, message: str
) -> None:
    """A server that cannot start must say why and end, before it listens (FR-020)."""
    variables = {**PRODUCTION, "HOST": "127.0.0.1", "PORT": "0", variable: value}

    started = run(project, "-m", "gunicorn", "todo_project.wsgi", **variables)

    [line] = started.stderr.splitlines()
    assert line.startswith(message)
    assert (started.returncode, started.stdout, HIDDEN in line) == (1, "", False)


def test_the_plans_four_lines_pass_the_deployment_check(project: Path) -> None:
    """The plan's production ``.env`` must be enough (SC-010)."""
    write_env(project, DATABASE_URL)

    checked = run(project, *DEPLOY_CHECK)

    assert (checked.returncode, "WARNINGS" in checked.stderr) == (0, False), checked.stderr


def test_debug_fails_the_deployment_check(project: Path) -> None:
    """A deployment with DEBUG on must be noticed."""
    checked = run(project, *DEPLOY_CHECK, **PRODUCTION, DEBUG="true")

    assert checked.returncode != 0
    assert "security.W018" in checked.stderr


def test_the_models_and_their_migrations_agree(project: Path) -> None:
    """No migration may be missing."""
    checked = run(project, "manage.py", "makemigrations", "--check", "--dry-run", **PRODUCTION)

    assert checked.returncode == 0, checked.stdout


def test_debug_without_a_database_keeps_the_tasks_in_the_projects_folder(project: Path) -> None:
    """A newcomer must not need a database server (issue "The API, end to end", settings)."""
    variables = {**PRODUCTION, "NEON_DATABASE_URL": "", "DEBUG": "true"}

    migrated = run(project, "manage.py", "migrate", "--verbosity=0", **variables)

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert _tables(project / "db.sqlite3") >= {"task", "django_migrations"}


def test_migrate_uses_the_unpooled_database(project: Path) -> None:
    """A pooler must not get in the way of a migration's locks."""
    variables = {
        **PRODUCTION,
        "NEON_DATABASE_URL": "sqlite:///pooled.sqlite3",
        "DATABASE_URL_UNPOOLED": "sqlite:///unpooled.sqlite3",
    }

    migrated = run(project, "manage.py", "migrate", "--verbosity=0", **variables)

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert "task" in _tables(project / "unpooled.sqlite3")
    assert not (project / "pooled.sqlite3").exists()


def _tables(file: Path) -> set[str]:
    # Opened read-only: connecting to a file that is missing would make it
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    database.close()
    return {name for (name,) in rows}


@pytest.mark.parametrize(
    ("arguments", "host"),
    [(("migrate", "tasks"), "direct"), (("check",), "pooled"), ((), "pooled")],
)
def test_only_migrate_uses_the_unpooled_database(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], host: str
) -> None:
    """The server and every other command must use the pooler."""
    settings = load(
        monkeypatch,
        *arguments,
        NEON_DATABASE_URL="postgresql://todo@pooled/todo",
        DATABASE_URL_UNPOOLED="postgresql://todo@direct/todo",
    )

    assert settings["DATABASES"]["default"]["HOST"] == host


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"DATABASE_URL": "postgresql://todo@second/todo"}, "db.example.com"),
        ({"DATABASE_URL": "postgresql://todo@second/todo", "NEON_DATABASE_URL": ""}, "second"),
    ],
)
def test_database_url_stands_in_where_neons_is_not_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], host: str
) -> None:
    """``NEON_DATABASE_URL`` must win over ``DATABASE_URL`` (FR-006)."""
    assert load(monkeypatch, **variables)["DATABASES"]["default"]["HOST"] == host
