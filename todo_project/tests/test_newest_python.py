"""Which Python CI runs the suite on once more."""

import shutil
import subprocess
from pathlib import Path

import pytest

from todo_project.environment import BASE_DIR


class Machine:
    """A machine on which only these Pythons are installed.

    Args:
        folder: an empty one for its files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, file: str, *, starts: bool = True) -> str:
        """Put a Python there; return its path."""
        python = self.folder / file
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f"#!/bin/sh\nexit {0 if starts else 127}\n")
        python.chmod(0o755)
        return str(python)

    def newest(self) -> subprocess.CompletedProcess[str]:
        """Ask for the newest one."""
        bash = shutil.which("bash")
        assert bash
        return subprocess.run(
            [bash, str(BASE_DIR / ".ci/newest-python")],
            env={"PATH": str(self.folder / "bin"), "PYENV_ROOT": str(self.folder / "pyenv")},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Set up a machine without any Python."""
    return Machine(tmp_path)


def test_the_newest_that_is_supported_is_taken(machine: Machine) -> None:
    """Neither an older one may be taken, nor one that nothing is pinned for."""
    for name in ("python3", "python3.10", "python3.11", "python3.9", "python3.14"):
        machine.install(f"bin/{name}")
    expected = machine.install("bin/python3.12")

    assert machine.newest().stdout == f"{expected}\n"


def test_one_that_does_not_start_is_passed_over(machine: Machine) -> None:
    """The shim of a version that is not chosen must not stop the search."""
    machine.install("bin/python3.13", starts=False)
    expected = machine.install("bin/python3.11")

    assert machine.newest().stdout == f"{expected}\n"


def test_one_of_pyenv_is_found_behind_its_shim(machine: Machine) -> None:
    """The machine has it, whether or not it is chosen."""
    machine.install("bin/python3.13", starts=False)
    machine.install("bin/python3.12")
    expected = machine.install("pyenv/versions/3.13.0/bin/python")

    assert machine.newest().stdout == f"{expected}\n"


def test_none_at_all_is_an_error(machine: Machine) -> None:
    """CI must fail with a sentence, rather than leave the run out in silence."""
    machine.install("bin/python3.10")

    done = machine.newest()

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no Python 3.11 to 3.13 here.\n"
