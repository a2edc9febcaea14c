"""Management commands as processes, on a terminal or in a pipe."""

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
    """Deploy the project with a database, without a server."""
    with deploying(tmp_path_factory.mktemp("commands"), template) as deployed:
        yield deployed


class TerminalSession:
    """A command that runs on a pseudo-terminal.

    Args:
        terminal: the file descriptor of the user's side.
        process: the command.
    """

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self.terminal, self.process = terminal, process
        self.shown = ""
        self.end = time.monotonic() + SECONDS

    def read_until(self, text: str) -> None:
        """Wait until the output contains a text."""
        while text not in self.shown:
            self._read()

    def _read(self) -> None:
        seconds = max(0.0, self.end - time.monotonic())
        is_ready = select.select([self.terminal], [], [], seconds)[0]
        assert is_ready, f"No more output after {SECONDS} s: {self.shown}"
        # a read may end in the middle of a multi-byte character
        self.shown += os.read(self.terminal, 65536).decode(errors="replace")

    def type_in(self, text: str) -> None:
        """Type a text."""
        os.write(self.terminal, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until the command ends.

        ``input()`` does not see a Ctrl-C that is pressed just before it begins to wait.
        """
        while self.process.poll() is None:
            self.type_in("\x03")
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)

    def exit_code(self) -> int:
        """Read the rest of the output and return the exit code."""
        with suppress(OSError):  # a terminal raises this at the end of the file
            while True:
                self._read()
        return self.process.wait(SECONDS)


@contextmanager
def on_terminal(deployed: Deployment, *arguments: str) -> Iterator[TerminalSession]:
    """Run a command on a terminal; kill it at the end of the block if it is still running."""
    terminal, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=deployed.project,
        env={"PATH": os.environ["PATH"], "TERM": "xterm"},
        # set the standard streams and the controlling terminal
        preexec_fn=lambda: os.login_tty(slave),
    ) as process:
        os.close(slave)
        try:
            yield TerminalSession(terminal, process)
        finally:
            process.kill()
            os.close(terminal)


def test_a_terminal_shows_a_progress_bar(deployed: Deployment) -> None:
    """The bar must be shown and replaced by the summary."""
    with on_terminal(deployed, "seed_tasks", "--force", "--user=bar", "--tasks=2000") as seeding:
        assert seeding.exit_code() == 0

    assert "%|" in seeding.shown
    assert seeding.shown.endswith("Created 2000 tasks (2000 each, users: 1).\r\n")


@pytest.mark.parametrize(("key", "code", "left"), [("y", 0, 0), ("n", 1, 3), ("\x03", 130, 3)])
def test_a_cleanup_asks_for_confirmation(
    deployed: Deployment, key: str, code: int, left: int
) -> None:
    """Only a yes may delete; Ctrl-C must cancel without a traceback."""
    user = f"asked {ord(key)}"
    deployed.fill(user, 3)

    with on_terminal(deployed, "cleanup_tasks", f"--user={user}") as asking:
        asking.read_until("[y/N] ")
        if key == "\x03":
            asking.interrupt()
        else:
            asking.type_in(f"{key}\n")
        assert asking.exit_code() == code, asking.shown

    assert f"To delete: 3 tasks of the user '{user}'." in asking.shown
    assert "Traceback" not in asking.shown
    assert deployed.count(user) == left


def test_a_cleanup_without_a_terminal_fails(deployed: Deployment) -> None:
    """A scheduled job must fail at once, with exit code 1 and one line."""
    done = deployed.manage("cleanup_tasks", "--user=somebody")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: No terminal for the confirmation")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_at_a_prompt_causes_no_traceback(deployed: Deployment) -> None:
    """Ctrl-C at the prompt of ``check_token`` must exit with code 130."""
    with on_terminal(deployed, "check_token") as asking:
        asking.read_until("Token: ")
        asking.type_in("\x03")
        assert asking.exit_code() == 130, asking.shown

    assert "Traceback" not in asking.shown


def test_ctrl_c_while_seeding_creates_no_tasks(deployed: Deployment) -> None:
    """An interrupted run must create no tasks, and exit with code 130."""
    arguments = ("seed_tasks", "--force", "--user=halfway", "--tasks=200000")
    with on_terminal(deployed, *arguments) as seeding:
        seeding.read_until("000/200000")
        seeding.process.send_signal(signal.SIGINT)
        assert seeding.exit_code() == 130, seeding.shown

    assert "CommandError: Interrupted. No tasks were created." in seeding.shown
    assert "Traceback" not in seeding.shown
    assert deployed.count("halfway") == 0


def test_ctrl_c_while_cleaning_up_reports_the_exact_number(deployed: Deployment) -> None:
    """The deleted and the remaining tasks must add up."""
    deployed.fill("partly", 5000)
    arguments = ("cleanup_tasks", "--user=partly", "--no-input", "--batch-size=2")
    with on_terminal(deployed, *arguments) as cleaning:
        cleaning.read_until("<0")  # the remaining time, which the bar shows after the first batch
        cleaning.process.send_signal(signal.SIGINT)
        assert cleaning.exit_code() == 130, cleaning.shown

    assert "Traceback" not in cleaning.shown
    deleted = int(cleaning.shown.partition("Deleted so far: ")[2].split()[0])
    assert 0 < deleted < 5000
    assert deployed.count("partly") == 5000 - deleted


def test_an_export_can_be_imported(deployed: Deployment, tmp_path: Path) -> None:
    """An export to a pipe must be importable from a file, without a progress bar."""
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


def test_a_closed_pipe_causes_no_traceback(deployed: Deployment) -> None:
    """``| head`` must end with exit code 1 and one line on standard error."""
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
    assert (
        done.stderr == "CommandError: Cannot write to -: Broken pipe. The export is incomplete.\n"
    )
    assert done.returncode == 1


def test_optional_features_do_not_stop_commands(deployed: Deployment) -> None:
    """`manage.py` must run with every optional feature of the server enabled."""
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
