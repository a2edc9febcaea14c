"""The commands as an operator runs them: in processes of their own, at a terminal or in a pipe."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from todo_project.tests.live_server import copy_project, fresh_database, run, write_env

SECONDS = 120.0


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Deploy the project with a database, without serving it."""
    folder = tmp_path_factory.mktemp("commands")
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        write_env(project, database_url)
        migrated = run(project, "manage.py", "migrate", "--verbosity=0")
        assert migrated.returncode == 0, migrated.stderr
        yield project


def manage(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command, its input empty and its output in a pipe."""
    return run(project, "manage.py", *arguments)


class Screen:
    """A command at a terminal.

    Args:
        project: where it runs.
        arguments: of ``manage.py``.
    """

    def __init__(self, project: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=project,
            env={"PATH": os.environ["PATH"], "TERM": "xterm"},
            # its standard streams, and what sends it Ctrl-C
            preexec_fn=lambda: os.login_tty(slave),
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text: str) -> str:
        """Wait until this is shown; return all that was."""
        while text not in self.shown:
            assert select.select([self.master], [], [], SECONDS)[0], self.shown
            self._read()
        return self.shown

    def _read(self) -> None:
        # the end of a piece may be in the middle of one of the bar's blocks
        self.shown += os.read(self.master, 65536).decode(errors="replace")

    def type_in(self, text: str) -> None:
        """Press these keys."""
        os.write(self.master, text.encode())

    def close(self) -> int:
        """Read to the end; return the exit code."""
        with suppress(OSError):  # what a terminal whose program has ended gives instead of an end
            while True:
                self._read()
        os.close(self.master)
        return self.process.wait(SECONDS)


def test_a_terminal_shows_a_bar_and_a_pipe_none(deployed: Path) -> None:
    """A person must see how far it is; a log must have the one line of the summary."""
    arguments = ["seed_tasks", "--force", "--user=bar", "--tasks=2000"]
    screen = Screen(deployed, *arguments)
    piped = manage(deployed, *arguments)

    assert screen.close() == 0
    assert "%|" in screen.shown
    assert screen.shown.endswith("Stored 2000 tasks (2000 each, users: 1).\r\n")
    assert piped.stdout == "Stored 2000 tasks (2000 each, users: 1).\n"
    assert piped.stderr == ""


@pytest.mark.parametrize(("key", "code", "left"), [("y", 0, 0), ("n", 1, 3), ("\x03", 130, 3)])
def test_a_clean_up_asks_at_a_terminal(deployed: Path, key: str, code: int, left: int) -> None:
    """Only a yes may delete; Ctrl-C is a no, without a trace."""
    user = f"asked {ord(key)}"
    manage(deployed, "seed_tasks", "--force", f"--user={user}", "--tasks=3")
    screen = Screen(deployed, "cleanup_tasks", f"--user={user}")

    screen.read_until("[y/N] ")
    screen.type_in(key if key == "\x03" else f"{key}\n")

    assert screen.close() == code, screen.shown
    assert f"To delete: 3 tasks of the user '{user}'." in screen.shown
    assert "Traceback" not in screen.shown
    assert count(deployed, user) == left


def test_without_a_terminal_nobody_is_asked(deployed: Path) -> None:
    """A job at night must fail at once with a sentence."""
    done = manage(deployed, "cleanup_tasks", "--user=somebody")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: There is no terminal to ask on")


def test_ctrl_c_where_no_work_has_begun_leaves_no_trace(deployed: Path) -> None:
    """An impatient operator must get a shell's exit code, here at the prompt for a token."""
    screen = Screen(deployed, "check_token")

    screen.read_until("Token: ")
    screen.type_in("\x03")

    assert screen.close() == 130, screen.shown
    assert "Traceback" not in screen.shown


def test_ctrl_c_while_seeding_stores_nothing(deployed: Path) -> None:
    """All of the tasks must be stored, or none."""
    screen = Screen(deployed, "seed_tasks", "--force", "--user=halfway", "--tasks=200000")

    screen.read_until("000/200000")
    screen.process.send_signal(signal.SIGINT)

    assert screen.close() == 130, screen.shown
    assert "CommandError: Interrupted; no task was stored." in screen.shown
    assert "Traceback" not in screen.shown
    assert count(deployed, "halfway") == 0


def test_ctrl_c_while_cleaning_up_says_exactly_what_is_gone(deployed: Path) -> None:
    """What was deleted, and what is left, must add up."""
    manage(deployed, "seed_tasks", "--force", "--user=partly", "--tasks=5000")
    screen = Screen(deployed, "cleanup_tasks", "--user=partly", "--no-input", "--batch-size=2")

    screen.read_until("%|")
    screen.process.send_signal(signal.SIGINT)

    assert screen.close() == 130, screen.shown
    assert "Traceback" not in screen.shown
    deleted = int(screen.shown.partition("Deleted until then: ")[2].split()[0])
    assert 0 <= deleted < 5000
    assert count(deployed, "partly") == 5000 - deleted


def test_an_export_ends_up_in_an_import(deployed: Path, tmp_path: Path) -> None:
    """The lines must pass through a pipe, and through a file."""
    manage(deployed, "seed_tasks", "--force", "--user=moving", "--tasks=20", "--seed=1")
    exported = manage(deployed, "export_tasks", "--user=moving")
    (tmp_path / "lines").write_text(exported.stdout.replace('"moving"', '"moved"'))

    imported = manage(deployed, "import_tasks", str(tmp_path / "lines"))

    again = manage(deployed, "export_tasks", "--user=moved").stdout
    assert (exported.stdout.count("\n"), imported.stdout) == (20, "Imported 20 tasks.\n")
    assert without_ids(again) == without_ids((tmp_path / "lines").read_text())


@pytest.mark.parametrize(
    "arguments",
    [
        ["seed_tasks"],
        ["cleanup_tasks", "--completed", "--older-than=99999999999d", "--no-input"],
        ["import_tasks", "nowhere.jsonl"],
    ],
    ids=str,
)
def test_bad_input_ends_with_a_sentence_and_1(deployed: Path, arguments: list[str]) -> None:
    """An operator's slip must not end in a trace."""
    done = manage(deployed, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_gets_no_trace(deployed: Path) -> None:
    """``| head`` must end as quietly as one expects."""
    manage(deployed, "seed_tasks", "--force", "--user=long", "--tasks=3000")
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "export_tasks", "--user=long"],
            cwd=deployed,
            env={"PATH": os.environ["PATH"]},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writing)
        assert pipe.readline().startswith(b'{"id": ')
    _, said = process.communicate(timeout=SECONDS)

    assert said == "CommandError: Not all was written to -: Broken pipe.\n"
    assert process.returncode == 1


def count(project: Path, user: str) -> int:
    """Count a user's tasks, as an operator would."""
    return int(manage(project, "cleanup_tasks", f"--user={user}", "--dry-run").stdout.split()[2])


def without_ids(lines: str) -> list[str]:
    """Leave the ids of exported lines away."""
    return [line.partition(", ")[2] for line in lines.splitlines()]


@pytest.mark.parametrize(
    "switch",
    [
        {"THROTTLE_RATE": "3/minute"},
        {"METRICS": "true"},
        {"API_DOCS": "true"},
        {"ROOT_PATH": "/todo"},
        {"TRUST_PROXY": "true"},
        {"BETTER_AUTH_JWKS_URL": "https://app.example.com/api/auth/jwks"},
    ],
    ids=lambda switch: next(iter(switch)),
)
def test_what_is_switched_on_stops_no_command(deployed: Path, switch: dict[str, str]) -> None:
    """What the server can do with must not keep `manage.py` from running, migrations above all."""
    checked = run(deployed, "manage.py", "check", **switch)

    assert checked.returncode == 0, checked.stderr
