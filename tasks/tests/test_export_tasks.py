"""``manage.py export_tasks``: a user's tasks as JSON Lines."""

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
    """Store two tasks of Alice's and one of Bob's; give the lines of hers."""
    for user in ("alice", "bob", "alice"):
        TaskFactory.create(user_id=user)
    return "".join(f"{line}\n" for line in exported_lines("alice"))


def test_the_lines_go_to_standard_output_and_the_summary_beside_it(lines: str) -> None:
    """A pipe must get the lines and nothing else."""
    for where in ([], ["-"]):
        said = io.StringIO()

        assert manage("export_tasks", "--user=alice", *where, stderr=said) == lines
        assert said.getvalue() == "Exported 2 tasks of the user 'alice'.\n"


def test_a_file_gets_the_lines_and_standard_output_the_summary(lines: str, tmp_path: Path) -> None:
    """A file must be whole and be there under its name alone, for nobody else to read."""
    file = tmp_path / "alice.jsonl"

    printed = manage("export_tasks", "--user=alice", str(file))

    assert printed == "Exported 2 tasks of the user 'alice'.\n"
    assert file.read_text() == lines
    assert [each.name for each in tmp_path.iterdir()] == ["alice.jsonl"]
    assert file.stat().st_mode & 0o077 == 0


def test_an_older_file_is_replaced_where_its_link_leads(lines: str, tmp_path: Path) -> None:
    """A link to a file must stay a link."""
    file = tmp_path / "alice.jsonl"
    file.write_text("old\n")
    link = tmp_path / "link"
    link.symlink_to(file)

    manage("export_tasks", "--user=alice", str(link))

    assert (link.is_symlink(), file.read_text()) == (True, lines)


def test_what_is_no_file_is_written_to_and_not_replaced(lines: str) -> None:
    """A device must stay a device."""
    manage("export_tasks", "--user=alice", os.devnull)

    assert not Path(os.devnull).is_file()


def test_a_user_without_tasks_is_no_error() -> None:
    """An empty list must be exported as that."""
    assert manage("export_tasks", "--user=nobody", stderr=io.StringIO()) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments are required: --user"),
        (["--user="], "A user's id has 1 to 255 characters"),
        (["--user=alice", "{folder}/none/file"], "Not all was written to .*: No such file"),
        (["--user=alice", "{folder}"], "Not all was written to .*: Is a directory"),
    ],
    ids=str,
)
def test_bad_input_is_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    """An error must be a sentence, and no file be left behind."""
    with pytest.raises(CommandError, match=message):
        manage("export_tasks", *(each.format(folder=tmp_path) for each in arguments))

    assert list(tmp_path.iterdir()) == []


def interrupted_lines(user_id: str) -> Iterator[str]:
    """Give one line, and have Ctrl-C pressed."""
    yield "{}"
    raise KeyboardInterrupt


def test_ctrl_c_leaves_an_older_file_as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Half an export must never pass for one; the exit code is a shell's for Ctrl-C."""
    monkeypatch.setattr(export_tasks, "exported_lines", interrupted_lines)
    file = tmp_path / "alice.jsonl"
    file.write_text("old\n")

    with pytest.raises(CommandError, match="Interrupted; not all was written") as caught:
        manage("export_tasks", "--user=alice", str(file))

    assert caught.value.returncode == 130
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old\n"]


@pytest.mark.usefixtures("lines")
def test_a_reader_that_goes_away_is_told_in_one_sentence() -> None:
    """``| head`` must not end in a trace."""
    reading, writing = os.pipe()
    os.close(reading)

    with (
        os.fdopen(writing, "w") as pipe,
        pytest.raises(CommandError, match="Not all was written to -: Broken pipe"),
    ):
        call_command("export_tasks", "--user=alice", stdout=pipe)


def test_lines_on_a_terminal_are_not_mixed_with_a_bar(
    monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    """Whoever looks at the lines must be able to read them."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)

    call_command("export_tasks", "--user=alice", stdout=screen, no_color=True)

    assert screen.getvalue() == f"{lines}Exported 2 tasks of the user 'alice'.\n"
