"""What the commands have in common in front of a person."""

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.management.console import held_interrupt
from tasks.tests.commands import Terminal, manage
from tasks.tests.factories import TaskFactory
from tasks.tests.jsonl import line

COMMANDS = [
    ["seed_tasks", "--force", "--users=1"],
    ["cleanup_tasks", "--no-input", "--user=alice"],
    ["import_tasks", "{file}"],
    ["export_tasks", "--user=alice", "{file}"],
]


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_terminal_shows_a_bar_and_a_pipe_none(
    command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A person must see how far it is, on standard error; a log gets the line of the summary."""
    TaskFactory.create(user_id="alice")
    (tmp_path / "file").write_bytes(line())
    arguments = [each.format(file=tmp_path / "file") for each in command]
    pipe, terminal = io.StringIO(), Terminal()

    monkeypatch.setattr("sys.stderr", pipe)
    printed = manage(*arguments)
    TaskFactory.create(user_id="alice")
    monkeypatch.setattr("sys.stderr", terminal)
    printed_beside_a_bar = manage(*arguments)

    assert (pipe.getvalue(), "0%|" in terminal.getvalue()) == ("", True)
    assert (printed.count("\n"), "%|" in printed_beside_a_bar) == (1, False)


def press_ctrl_c() -> None:
    """Send this process what a terminal sends at Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_waits_until_it_may_come() -> None:
    """What must not be torn must run to its end."""
    with held_interrupt() as release:
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            release()


def test_a_second_ctrl_c_is_not_held_back() -> None:
    """A person must be able to leave a database that does not answer."""
    with held_interrupt():
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    """A caller's own way with Ctrl-C must be put back."""
    before = signal.getsignal(signal.SIGINT)

    with held_interrupt():
        press_ctrl_c()

    assert signal.getsignal(signal.SIGINT) is before


def test_without_ctrl_c_the_work_goes_on() -> None:
    """So it must in another thread, where Python never gives Ctrl-C to."""

    def work() -> bool:
        with held_interrupt() as release:
            release()
        return True

    with ThreadPoolExecutor(1) as pool:
        assert (work(), pool.submit(work).result()) == (True, True)
