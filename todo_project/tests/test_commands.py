"""The commands as an operator runs them: in processes of their own, at a terminal or in a pipe."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from todo_project.tests.live_server import Deployment, deploying

pytestmark = pytest.mark.live

SECONDS = 120.0
COLUMNS = "SELECT title, description, completed, created_at, updated_at FROM task"


@pytest.fixture(scope="module")
def deployed(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy the project with a database, without serving it."""
    with deploying(tmp_path_factory.mktemp("commands"), template) as deployed:
        yield deployed


class Screen:
    """A command at a terminal.

    Args:
        terminal: the end of the terminal that a person sees.
        process: the command.
    """

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self.terminal, self.process = terminal, process
        self.shown = ""
        self.end = time.monotonic() + SECONDS

    def read_until(self, text: str) -> None:
        """Wait until this is shown."""
        while text not in self.shown:
            self._read()

    def _read(self) -> None:
        seconds = max(0.0, self.end - time.monotonic())
        is_ready = select.select([self.terminal], [], [], seconds)[0]
        assert is_ready, f"Nothing more after {SECONDS} s. Shown until then: {self.shown}"
        # the end of a piece may be in the middle of one of the bar's blocks
        self.shown += os.read(self.terminal, 65536).decode(errors="replace")

    def type_in(self, text: str) -> None:
        """Press these keys."""
        os.write(self.terminal, text.encode())

    def exit_code(self) -> int:
        """Read to the end; return the exit code."""
        with suppress(OSError):  # what a terminal whose program has ended gives instead of an end
            while True:
                self._read()
        return self.process.wait(SECONDS)


@contextmanager
def screen(deployed: Deployment, *arguments: str) -> Iterator[Screen]:
    """Run a command at a terminal; kill it if it has not ended with the block."""
    terminal, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=deployed.project,
        env={"PATH": os.environ["PATH"], "TERM": "xterm"},
        # its standard streams, and what sends it Ctrl-C
        preexec_fn=lambda: os.login_tty(slave),
    ) as process:
        os.close(slave)
        try:
            yield Screen(terminal, process)
        finally:
            process.kill()
            os.close(terminal)


def test_a_terminal_shows_a_bar(deployed: Deployment) -> None:
    """A person must see how far it is."""
    with screen(deployed, "seed_tasks", "--force", "--user=bar", "--tasks=2000") as seeding:
        assert seeding.exit_code() == 0

    assert "%|" in seeding.shown
    assert seeding.shown.endswith("Stored 2000 tasks (2000 each, users: 1).\r\n")


@pytest.mark.parametrize(("key", "code", "left"), [("y", 0, 0), ("n", 1, 3), ("\x03", 130, 3)])
def test_a_clean_up_asks_at_a_terminal(
    deployed: Deployment, key: str, code: int, left: int
) -> None:
    """Only a yes may delete; Ctrl-C is a no, without a trace."""
    user = f"asked {ord(key)}"
    deployed.fill(user, 3)

    with screen(deployed, "cleanup_tasks", f"--user={user}") as asking:
        asking.read_until("[y/N] ")
        asking.type_in(key if key == "\x03" else f"{key}\n")
        assert asking.exit_code() == code, asking.shown

    assert f"To delete: 3 tasks of the user '{user}'." in asking.shown
    assert "Traceback" not in asking.shown
    assert deployed.count(user) == left


def test_without_a_terminal_a_clean_up_fails_in_one_sentence(deployed: Deployment) -> None:
    """A job at night must fail at once, with exit code 1 and no trace."""
    done = deployed.manage("cleanup_tasks", "--user=somebody")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: There is no terminal to ask on")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_where_no_work_has_begun_leaves_no_trace(deployed: Deployment) -> None:
    """An impatient operator must get a shell's exit code, here at the prompt for a token."""
    with screen(deployed, "check_token") as asking:
        asking.read_until("Token: ")
        asking.type_in("\x03")
        assert asking.exit_code() == 130, asking.shown

    assert "Traceback" not in asking.shown


def test_ctrl_c_while_seeding_stores_nothing(deployed: Deployment) -> None:
    """All of the tasks must be stored, or none."""
    arguments = ("seed_tasks", "--force", "--user=halfway", "--tasks=200000")
    with screen(deployed, *arguments) as seeding:
        seeding.read_until("000/200000")
        seeding.process.send_signal(signal.SIGINT)
        assert seeding.exit_code() == 130, seeding.shown

    assert "CommandError: Interrupted; no task was stored." in seeding.shown
    assert "Traceback" not in seeding.shown
    assert deployed.count("halfway") == 0


def test_ctrl_c_while_cleaning_up_says_exactly_what_is_gone(deployed: Deployment) -> None:
    """What was deleted, and what is left, must add up."""
    deployed.fill("partly", 5000)
    arguments = ("cleanup_tasks", "--user=partly", "--no-input", "--batch-size=2")
    with screen(deployed, *arguments) as cleaning:
        cleaning.read_until("%|")
        cleaning.process.send_signal(signal.SIGINT)
        assert cleaning.exit_code() == 130, cleaning.shown

    assert "Traceback" not in cleaning.shown
    deleted = int(cleaning.shown.partition("Deleted until then: ")[2].split()[0])
    assert 0 <= deleted < 5000
    assert deployed.count("partly") == 5000 - deleted


def test_an_export_ends_up_in_an_import(deployed: Deployment, tmp_path: Path) -> None:
    """The lines must pass through a pipe and a file, with a summary and no bar beside them."""
    deployed.fill("moving", 20)

    exported = deployed.manage("export_tasks", "--user=moving")
    (tmp_path / "lines").write_text(exported.stdout.replace('"moving"', '"moved"'))
    imported = deployed.manage("import_tasks", str(tmp_path / "lines"))

    assert exported.stdout.count("\n") == 20
    assert (imported.stdout, imported.stderr) == ("Imported 20 tasks.\n", "")
    moved, moving = (
        deployed.query(f"{COLUMNS} WHERE user_id = '{user}' ORDER BY id")
        for user in ("moved", "moving")
    )
    assert moved == moving


def test_a_reader_that_goes_away_gets_no_trace(deployed: Deployment) -> None:
    """``| head`` must end as quietly as one expects."""
    deployed.fill("long", 3000)
    pipeline = 'set -o pipefail; "$0" manage.py export_tasks --user=long | head -n 1'

    done = subprocess.run(
        ["/bin/bash", "-c", pipeline, sys.executable],
        cwd=deployed.project,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.stdout.startswith('{"id": ')
    assert done.stderr == "CommandError: Not all was written to -: Broken pipe.\n"
    assert done.returncode == 1


def test_what_is_switched_on_stops_no_command(deployed: Deployment) -> None:
    """What the server can do with must not keep `manage.py` from running, migrations above all."""
    checked = deployed.manage(
        "check",
        THROTTLE_RATE="3/minute",
        METRICS="true",
        API_DOCS="true",
        ROOT_PATH="/todo",
        TRUST_PROXY="true",
        BETTER_AUTH_JWKS_URL="https://app.example.com/api/auth/jwks",
    )

    assert checked.returncode == 0, checked.stderr
