"""``.ci/newest-python``, which selects the Python of CI's second run."""

import shutil
import subprocess
from pathlib import Path

from todo_project.configuration.environment import BASE_DIR


def install(machine: Path, file: str, *, starts: bool = True) -> str:
    """Install a fake Python, and return its path."""
    python = machine / file
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\nexit {0 if starts else 127}\n")
    python.chmod(0o755)
    return str(python)


def newest(machine: Path) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine with only the fake Pythons."""
    bash = shutil.which("bash")
    assert bash
    return subprocess.run(
        [bash, str(BASE_DIR / ".ci/newest-python")],
        env={"PATH": str(machine / "bin"), "PYENV_ROOT": str(machine / "pyenv")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_newest_supported_python_is_selected(tmp_path: Path) -> None:
    """A version without pinned requirements must not be selected."""
    for name in ("python3", "python3.10", "python3.11", "python3.9", "python3.15"):
        install(tmp_path, f"bin/{name}")
    expected = install(tmp_path, "bin/python3.12")

    assert newest(tmp_path).stdout == f"{expected}\n"


def test_a_python_that_does_not_start_is_skipped(tmp_path: Path) -> None:
    """A pyenv shim whose version is not selected must not end the search."""
    install(tmp_path, "bin/python3.14", starts=False)
    older = install(tmp_path, "bin/python3.11")
    without_pyenv = newest(tmp_path).stdout
    expected = install(tmp_path, "pyenv/versions/3.14.8/bin/python")

    assert [without_pyenv, newest(tmp_path).stdout] == [f"{older}\n", f"{expected}\n"]


def test_no_supported_python_is_an_error(tmp_path: Path) -> None:
    """CI must not skip the second run silently."""
    install(tmp_path, "bin/python3.10")

    done = newest(tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "No Python 3.11 to 3.14 is installed.\n"
