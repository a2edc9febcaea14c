"""``manage.py import_tasks``: tasks out of JSON Lines."""

import io
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.management.commands import import_tasks
from tasks.management.console import held_interrupt
from tasks.tests.commands import manage, refusal
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.jsonl import line

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write two tasks down."""
    written = tmp_path / "alice.jsonl"
    written.write_bytes(line(title="first") + line(title="second", user_id="bob"))
    return written


def type_in(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """Make this the standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_a_file_is_stored_and_counted(file: Path) -> None:
    """Each task must go to the user whom its line names; one line must say how many."""
    assert manage("import_tasks", str(file)) == "Imported 2 tasks.\n"
    assert [row[1:3] for row in rows()] == [("alice", "first"), ("bob", "second")]


def test_standard_input_is_as_good(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """A pipe must do, whether or not a dash stands for it."""
    for where in ([], ["-"]):
        type_in(monkeypatch, file.read_bytes())
        assert manage("import_tasks", *where) == "Imported 2 tasks.\n"

    assert len(rows()) == 4


def test_what_is_exported_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two commands must fit together."""
    for _ in range(3):
        TaskFactory.create()
    before = [row[1:] for row in rows()]
    type_in(monkeypatch, manage("export_tasks", "--user=alice", stderr=io.StringIO()).encode())

    manage("import_tasks")

    assert [row[1:] for row in rows()] == before * 2


def test_an_empty_file_is_no_error() -> None:
    """Somebody without tasks has an export too."""
    assert manage("import_tasks", os.devnull) == "Imported 0 tasks.\n"


def test_a_wrong_line_is_named_and_nothing_is_stored(file: Path) -> None:
    """The error must say which line, what is wrong, and that nothing was done."""
    TaskFactory.create()
    before = rows()
    good = file.read_bytes()

    for wrong, message in (
        (b"{\n", r"Line 3: not JSON in UTF-8: .* \(column 2\). No task was stored"),
        (b"x" * 70_000, "Line 3: it has more than 65536 bytes. No task was stored"),
    ):
        file.write_bytes(good + wrong)
        assert re.search(message, str(refusal("import_tasks", str(file))))

    assert rows() == before


def test_as_is_takes_what_an_older_back_end_has_left(tmp_path: Path) -> None:
    """What the API refuses must be takable, by whoever knows where it comes from."""
    (tmp_path / "old").write_bytes(line(title=""))

    assert manage("import_tasks", "--as-is", str(tmp_path / "old")) == "Imported 1 tasks.\n"


@pytest.mark.parametrize(("name", "why"), [("none", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, why: str) -> None:
    """A wrong name must be an error of one sentence."""
    error = str(refusal("import_tasks", str(tmp_path / name)))

    assert error.startswith("Cannot read ")
    assert why in error


def test_ctrl_c_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Of tasks that were not all stored, none must be there; the exit code is a shell's for it."""
    before = rows()

    class Interrupted(io.BytesIO):
        """A file that somebody stops reading after a line."""

        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise KeyboardInterrupt
            return super().readline(size)

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Interrupted(file.read_bytes())))

    error = refusal("import_tasks")

    assert (str(error), error.returncode) == ("Interrupted; no task was stored.", 130)
    assert rows() == before


def test_ctrl_c_when_all_is_read_comes_too_late(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    """Nobody must be told that nothing was stored while it is being committed."""
    before = signal.getsignal(signal.SIGINT)

    @contextmanager
    def held_and_pressed() -> Iterator[None]:
        with held_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            yield

    monkeypatch.setattr(import_tasks, "held_interrupt", held_and_pressed)

    assert manage("import_tasks", str(file)) == "Imported 2 tasks.\n"
    assert signal.getsignal(signal.SIGINT) is before
