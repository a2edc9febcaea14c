"""The progress bar of the commands."""

import io
from pathlib import Path

import pytest

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
def test_a_progress_bar_is_shown_only_on_a_terminal(
    command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The bar must be on standard error, and standard output must get only the summary."""
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
