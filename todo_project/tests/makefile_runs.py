"""Runs of ``make`` with stand-ins for Python and uv."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from todo_project.configuration.environment import BASE_DIR

PYTHON = """#!/bin/sh
case "$1 $2" in
"-c "*) exec {python} -c "import sys; sys.version_info = ({version})
sys.modules['pip'] = sys; sys.modules['{absent}'] = None; $2" ;;
"-m venv") for folder; do true; done
    test "$3" != --clear || rm -rf "$folder"; mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python"; echo >"$folder/pyvenv.cfg" ;;
esac
echo "python $*" >>log
"""
UV = '#!/bin/sh\necho "uv $*" >>log\n'
BROKEN = "#!/bin/sh\nexit 127\n"  # such as a shim of pyenv whose version is not selected

VENV = "python -m venv --clear --without-pip .venv"
ADD_PIP = "python -m venv .venv"
BY_UV = "uv pip install --python .venv/bin/python -q --require-hashes -r {}.txt"
BY_PIP = "python -m pip install --disable-pip-version-check -q --require-hashes -r {}.txt"
SET_UP = [VENV, BY_UV.format("requirements")]
SET_UP_BY_PIP = [VENV, ADD_PIP, BY_PIP.format("requirements")]


def program(file: Path, text: str) -> Path:
    """Write a program, and return its path."""
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def python(file: Path, version: str = "3, 12, 4", absent: str = "nothing") -> Path:
    """Install a stand-in for this version of Python, without one module."""
    return program(file, PYTHON.format(python=sys.executable, version=version, absent=absent))


def clone_of(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, beside a machine with uv and Python 3.12."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        os.utime(shutil.copy(BASE_DIR / name, folder), (0, 0))
    python(tmp_path / "bin/python3")
    program(tmp_path / "bin/uv", UV)
    return folder


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``make`` on the machine, an hour after the last time."""
    (clone / "log").unlink(missing_ok=True)
    for file in (clone / ".venv").glob("*"):
        os.utime(file, (file.stat().st_atime - 3600, file.stat().st_mtime - 3600))
    return subprocess.run(
        ["/usr/bin/env", "make", *arguments],
        cwd=clone,
        env={"PATH": f"{clone.parent / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def steps(clone: Path) -> list[str]:
    """Return what the last ``make`` made and installed."""
    log = clone / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if line != "uv --version"]
