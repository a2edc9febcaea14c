"""What the tests leave behind on a machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from todo_project.environment import BASE_DIR


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_the_tests_leave_neither_files_nor_servers(tmp_path: Path, database: str) -> None:
    """Their database must end with them."""
    tested = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "todo_project/tests/test_keys.py"),
            *("-p", "no:cacheprovider", f"--database={database}"),
        ],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert tested.returncode == 0, tested.stdout
    assert [left.name for left in tmp_path.glob("todo-tests-*")] == []
    assert not [command for command in _running() if str(tmp_path) in command]


def _running() -> Iterator[str]:
    """Yield the command of each process, on Linux."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it may have ended meanwhile
            yield file.read_text(errors="replace")
