"""``manage.py`` ends with one line for a mistake in its configuration, and with no traceback."""

import os
import runpy
from pathlib import Path
from unittest.mock import Mock, PropertyMock

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

from todo_project import command_line
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import copy_project, free_port, run, write_env
from todo_project.tests.settings_loader import MODULE, PRODUCTION

HIDDEN = "x7Qp2mVz9Lk4"


def caused(error: DatabaseError, cause: Exception) -> DatabaseError:
    """Return Django's error with the driver's as its cause."""
    error.__cause__ = cause
    return error


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Replace Django's command line."""
    execute = Mock()
    monkeypatch.setattr(command_line, "execute_from_command_line", execute)
    return execute


def ending(command: str = "check") -> object:
    """Run a command, and return what it exits with."""
    with pytest.raises(SystemExit) as ended:
        command_line.main(["manage.py", command])
    return ended.value.code


def test_a_command_that_succeeds_does_not_exit(execute: Mock) -> None:
    """The arguments must be passed on."""
    command_line.main(("manage.py", "check", "--deploy"))

    assert execute.call_args[0] == (["manage.py", "check", "--deploy"],)


def test_a_command_does_not_use_the_metrics_folder(
    execute: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not write to the folder of the server's workers."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/run/metrics")

    command_line.main(["manage.py", "check"])

    assert execute.called
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_a_refused_setting_is_one_line(execute: Mock) -> None:
    """A message of several lines must be joined."""
    execute.side_effect = ImproperlyConfigured("PORT must be\n  a number.")

    assert ending() == "PORT must be a number."


def test_the_shell_needs_the_settings(execute: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's command would start without them, and not say why."""
    refused = Mock()
    type(refused).DEBUG = PropertyMock(side_effect=ImproperlyConfigured("PORT must be a number."))
    monkeypatch.setattr(command_line, "settings", refused)

    assert ending("shell") == "PORT must be a number."
    assert not execute.called


@pytest.mark.parametrize("error", [ImproperlyConfigured, OperationalError])
def test_a_traceback_may_be_asked_for(execute: Mock, error: type[Exception]) -> None:
    """Django's option must work for every error, and be passed on."""
    command_line.main(["manage.py", "check", "--traceback"])
    execute.side_effect = error

    with pytest.raises(error):
        command_line.main(["manage.py", "check", "--traceback"])
    assert execute.call_args[0] == (["manage.py", "check", "--traceback"],)


def test_ctrl_c_is_silent(execute: Mock) -> None:
    """The exit code must be that of a shell."""
    execute.side_effect = KeyboardInterrupt

    assert ending() == 130


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OperationalError("no such table: task"), "no such table: task. Run manage.py migrate."),
        (InterfaceError("the connection is closed"), "the connection is closed."),
        (
            DatabaseError("file is not a database"),
            "file is not a database. Check the path in the URL.",
        ),
        (
            OperationalError(f"cannot reach postgresql://todo:{HIDDEN}@db/todo"),
            "cannot reach postgresql://todo:***@db/todo.",
        ),
        (
            caused(
                ProgrammingError('relation "task" does not exist\nLINE 1: SELECT'),
                psycopg.errors.UndefinedTable(),
            ),
            'relation "task" does not exist. Run manage.py migrate.',
        ),
        (
            caused(InternalError("read-only"), psycopg.errors.ReadOnlySqlTransaction()),
            "read-only. It can only be read: use one that can be written.",
        ),
    ],
    ids=str,
)
def test_a_database_that_cannot_be_used_is_one_line(
    execute: Mock, error: Exception, line: str
) -> None:
    """It must give the reason and what to do, but no password (FR-017)."""
    execute.side_effect = error

    assert ending() == f"The database cannot be used: {line}"


def test_what_a_command_has_done_follows_the_advice(execute: Mock) -> None:
    """An operator must know whether to run it again."""
    execute.side_effect = OperationalError("no such table: task")
    execute.side_effect.add_note("No tasks were created.")

    assert ending() == (
        "The database cannot be used: no such table: task. Run manage.py migrate."
        " No tasks were created."
    )


@pytest.mark.parametrize(
    "bug",
    [
        ValueError("a bug"),
        IntegrityError("a bug"),
        caused(ProgrammingError("a bug"), psycopg.errors.SyntaxError()),
    ],
    ids=repr,
)
def test_a_bug_keeps_its_traceback(execute: Mock, bug: Exception) -> None:
    """Only mistakes of an operator may be reported without one."""
    execute.side_effect = bug

    with pytest.raises(type(bug), match="a bug"):
        command_line.main(["manage.py", "check"])


def test_every_refusal_reaches_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """`manage.py` must only call it."""
    called = Mock()
    monkeypatch.setattr(command_line, "main", called)
    monkeypatch.setattr("sys.argv", ["manage.py", "check"])
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")

    runpy.run_path(str(BASE_DIR / "manage.py"), run_name="__main__")
    runpy.run_path(str(BASE_DIR / "manage.py"), run_name="manage")

    assert called.call_args_list == [((["manage.py", "check"],),)]
    assert os.environ["DJANGO_SETTINGS_MODULE"] == MODULE["DJANGO_SETTINGS_MODULE"]


@pytest.mark.live
@pytest.mark.parametrize(
    "command",
    [["check", "--deploy"], ["migrate"], ["runserver"], ["seed_tasks"], ["unknown"], ["shell"]],
    ids=" ".join,
)
def test_a_command_ends_with_one_line(project: Path, command: list[str]) -> None:
    """Every command, Django's too, must exit with code 1 and the reason."""
    done = run(project, "manage.py", *command, **PRODUCTION, PORT="http")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "PORT must be a whole number from 1 to 65535.\n"


@pytest.mark.live
def test_help_needs_no_settings(project: Path) -> None:
    """The list of commands must be shown nevertheless, with the reason."""
    done = run(project, "manage.py", "help", PORT="http")

    assert done.returncode == 0
    assert "BETTER_AUTH_SECRET is not set" in " ".join(done.stdout.split())


@pytest.mark.live
@pytest.mark.parametrize("command", [["migrate"], ["seed_tasks", "--force"]], ids=" ".join)
def test_a_command_says_that_the_database_is_away(project: Path, command: list[str]) -> None:
    """One sentence must say so, without the password (FR-017)."""
    url = f"postgresql://todo:{HIDDEN}@127.0.0.1:{free_port()}/todo"

    done = run(project, "manage.py", *command, **{**PRODUCTION, "NEON_DATABASE_URL": url})

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("The database cannot be used: ")
    assert "Connection refused. Check the host and the port" in done.stderr
    assert HIDDEN not in done.stderr


@pytest.mark.live
@pytest.mark.parametrize(
    "command", [["manage.py", "migrate"], ["-m", "gunicorn", "--check-config", "todo_project.wsgi"]]
)
def test_an_unreadable_env_file_is_one_line(tmp_path: Path, command: list[str]) -> None:
    """Both must name the file; with every variable in the environment, it must be a warning."""
    project = copy_project(tmp_path)
    write_env(project, "sqlite:///db.sqlite3")
    (project / ".env").write_bytes((project / ".env").read_text().encode("utf-16"))
    refused = run(project, *command)
    accepted = run(project, *command, **{**PRODUCTION, "NEON_DATABASE_URL": "sqlite:///db.sqlite3"})

    assert (refused.returncode, refused.stderr.count("\n"), refused.stdout) == (1, 1, "")
    assert refused.stderr.startswith(".env must be a text file in UTF-8.")
    assert accepted.returncode == 0, accepted.stderr
