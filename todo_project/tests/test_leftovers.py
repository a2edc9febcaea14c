"""Files and processes that the tests leave behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from todo_project.configuration.environment import BASE_DIR

SECONDS = 300.0


@pytest.mark.live
@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_the_tests_leave_neither_files_nor_servers(database: str) -> None:
    """The tests' database server must be stopped and its files deleted."""
    # with `pytest -n`, tmp_path is too long for the path of a Unix socket
    with TemporaryDirectory() as folder:
        tested = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "todo_project/tests/test_secret_key.py"),
                *("-p", "no:cacheprovider", f"--database={database}"),
            ],
            cwd=BASE_DIR,
            env={"PATH": os.environ["PATH"], "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        left = [each.name for each in Path(folder).glob("todo-tests-*")]

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert left == []
    assert not [command for command in _running() if folder in command]


def _running() -> Iterator[str]:
    """Yield the command line of each process (Linux only)."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended
            yield file.read_text(errors="replace")
