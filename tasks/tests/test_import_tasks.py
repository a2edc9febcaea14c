"""Tests of ``manage.py import_tasks``."""

import io
import os
import re
from pathlib import Path

import pytest

from tasks.tests.commands import manage, refusal
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.jsonl import line

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a file with two tasks."""
    written = tmp_path / "alice.jsonl"
    written.write_bytes(line(title="first") + line(title="second", user_id="bob"))
    return written


def type_in(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """Replace standard input with a stream of the given bytes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_the_tasks_of_a_file_are_imported(file: Path) -> None:
    """Each task must belong to the user in its line; the summary must count the tasks."""
    assert manage("import_tasks", str(file)) == "Imported 2 tasks.\n"
    assert [row[1:3] for row in rows()] == [("alice", "first"), ("bob", "second")]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Without a file, or with ``-``, the command must read standard input."""
    for argument in ([], ["-"]):
        type_in(monkeypatch, file.read_bytes())
        assert manage("import_tasks", *argument) == "Imported 2 tasks.\n"

    assert len(rows()) == 4


def test_an_export_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field except the id must survive export and import."""
    for _ in range(3):
        TaskFactory.create()
    before = [row[1:] for row in rows()]
    type_in(monkeypatch, manage("export_tasks", "--user=alice", stderr=io.StringIO()).encode())

    manage("import_tasks")

    assert [row[1:] for row in rows()] == before * 2


def test_an_empty_file_is_not_an_error() -> None:
    """The export of a user without tasks must be importable."""
    assert manage("import_tasks", os.devnull) == "Imported 0 tasks.\n"


def test_an_invalid_line_is_reported_and_nothing_is_imported(file: Path) -> None:
    """The error must state the line, the reason, and that no tasks were imported."""
    TaskFactory.create()
    before = rows()
    good = file.read_bytes()

    for wrong, message in (
        (b"{\n", r"Line 3: not UTF-8 JSON: .* \(column 2\). No tasks were imported"),
        (b"x" * 70_000, "Line 3: longer than 65536 bytes. No tasks were imported"),
    ):
        file.write_bytes(good + wrong)
        assert re.search(message, str(refusal("import_tasks", str(file))))

    assert rows() == before


def test_as_is_accepts_old_tasks(tmp_path: Path) -> None:
    """``--as-is`` must accept a blank title, which the API rejects."""
    (tmp_path / "old").write_bytes(line(title=""))

    assert manage("import_tasks", "--as-is", str(tmp_path / "old")) == "Imported 1 tasks.\n"


@pytest.mark.parametrize(("name", "why"), [("none", "No such file"), (".", "Is a directory")])
def test_an_unreadable_file_is_reported(tmp_path: Path, name: str, why: str) -> None:
    """The error must name the file and the reason."""
    error = str(refusal("import_tasks", str(tmp_path / name)))

    assert error.startswith("Cannot read ")
    assert why in error


def test_ctrl_c_imports_nothing(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """An interrupted import must import nothing and exit with code 130."""
    before = rows()

    class Interrupted(io.BytesIO):
        """A file that raises ``KeyboardInterrupt`` after one line."""

        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise KeyboardInterrupt
            return super().readline(size)

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Interrupted(file.read_bytes())))

    error = refusal("import_tasks")

    assert (str(error), error.returncode) == ("Interrupted. No tasks were imported.", 130)
    assert rows() == before
