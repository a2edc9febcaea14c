"""Tests of ``manage.py export_tasks``."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tasks.maintenance.transfer import exported_lines
from tasks.management.commands import export_tasks
from tasks.tests.commands import Terminal, manage
from tasks.tests.factories import TaskFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> str:
    """Create two tasks for Alice and one for Bob; return the lines of Alice's tasks."""
    for user in ("alice", "bob", "alice"):
        TaskFactory.create(user_id=user)
    return "".join(f"{line}\n" for line in exported_lines("alice"))


def test_standard_output_gets_only_the_lines(lines: str) -> None:
    """The lines must be on standard output and the summary on standard error."""
    for file in ([], ["-"]):
        stderr = io.StringIO()

        assert manage("export_tasks", "--user=alice", *file, stderr=stderr) == lines
        assert stderr.getvalue() == "Exported 2 tasks of the user 'alice'.\n"


def test_a_file_gets_the_lines(lines: str, tmp_path: Path) -> None:
    """No other file may be left behind, and only the file's owner may have access to it."""
    file = tmp_path / "alice.jsonl"

    printed = manage("export_tasks", "--user=alice", str(file))

    assert printed == "Exported 2 tasks of the user 'alice'.\n"
    assert file.read_text() == lines
    assert [each.name for each in tmp_path.iterdir()] == ["alice.jsonl"]
    assert file.stat().st_mode & 0o077 == 0


def test_the_target_of_a_link_is_replaced(lines: str, tmp_path: Path) -> None:
    """A symbolic link must be kept, and its target replaced."""
    file = tmp_path / "alice.jsonl"
    file.write_text("old\n")
    link = tmp_path / "link"
    link.symlink_to(file)

    manage("export_tasks", "--user=alice", str(link))

    assert (link.is_symlink(), file.read_text()) == (True, lines)


def test_a_device_is_not_replaced(lines: str) -> None:
    """A device must be written to directly."""
    manage("export_tasks", "--user=alice", os.devnull)

    assert not Path(os.devnull).is_file()


def test_a_user_without_tasks_is_not_an_error() -> None:
    """Exporting a user without tasks must succeed and write no lines."""
    assert manage("export_tasks", "--user=nobody", stderr=io.StringIO()) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments are required: --user"),
        (["--user="], "A user id must have 1 to 255 characters"),
        (["--user=alice", "{folder}/none/file"], "Cannot write to .*: No such file"),
        (["--user=alice", "{folder}"], "Cannot write to .*: Is a directory"),
    ],
    ids=str,
)
def test_bad_input_is_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    """An error must leave no file behind."""
    with pytest.raises(CommandError, match=message):
        manage("export_tasks", *(each.format(folder=tmp_path) for each in arguments))

    assert list(tmp_path.iterdir()) == []


def interrupted_lines(user_id: str) -> Iterator[str]:
    """Yield one line, then raise ``KeyboardInterrupt``."""
    yield "{}"
    raise KeyboardInterrupt


def test_ctrl_c_keeps_an_existing_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An interrupted export must keep the existing file and exit with code 130."""
    monkeypatch.setattr(export_tasks, "exported_lines", interrupted_lines)
    file = tmp_path / "alice.jsonl"
    file.write_text("old\n")

    with pytest.raises(CommandError, match=r"Interrupted\. The export is incomplete") as caught:
        manage("export_tasks", "--user=alice", str(file))

    assert caught.value.returncode == 130
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old\n"]


@pytest.mark.usefixtures("lines")
def test_a_closed_pipe_is_reported() -> None:
    """``| head`` must not cause a traceback."""
    reading, writing = os.pipe()
    os.close(reading)

    with (
        os.fdopen(writing, "w") as pipe,
        pytest.raises(CommandError, match=r"Cannot write to -: Broken pipe\. The export is"),
    ):
        call_command("export_tasks", "--user=alice", stdout=pipe)


def test_no_progress_bar_is_shown_among_lines_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    """Lines on a terminal must not be overwritten by the bar."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)

    call_command("export_tasks", "--user=alice", stdout=screen, no_color=True)

    assert screen.getvalue() == f"{lines}Exported 2 tasks of the user 'alice'.\n"
