"""How ``make`` sets up the virtual environment, with stand-ins for Python and uv."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from todo_project.configuration.environment import BASE_DIR

pytestmark = pytest.mark.live

PYTHON = """#!/bin/sh
case "$1 $2" in
"-c "*) exec {python} -c "import sys; sys.version_info = ({version}); $2" ;;
"-m venv") for folder; do true; done
    rm -rf "$folder"; mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python" && echo >"$folder/pyvenv.cfg" ;;
esac
echo "python $*" >>log
"""
UV = '#!/bin/sh\necho "uv $*" >>log\n'
BROKEN = "#!/bin/sh\nexit 127\n"  # such as a shim of pyenv whose version is not selected

VENV_FOR_UV = "python -m venv --clear --without-pip .venv"
VENV = "python -m venv --clear .venv"
BY_UV = "uv pip install --python .venv/bin/python -q --require-hashes -r {}.txt"
BY_PIP = "python -m pip install --disable-pip-version-check -q --require-hashes -r {}.txt"
SET_UP = [VENV_FOR_UV, BY_UV.format("requirements")]


def program(file: Path, text: str) -> Path:
    """Write a program, and return its path."""
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def python(file: Path, version: str = "3, 12, 4") -> Path:
    """Install a stand-in for this version of Python."""
    return program(file, PYTHON.format(python=sys.executable, version=version))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
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


def test_uv_installs_the_packages_where_it_starts(clone: Path) -> None:
    """The set-up must use uv, need no pip, check hashes, and say how long it takes."""
    result = make(clone, ".venv/run")

    assert steps(clone) == SET_UP
    assert (result.returncode, result.stdout) == (
        0,
        "Installing the packages of the service into .venv, with uv: a few seconds ...\n",
    )


def test_pip_installs_the_packages_elsewhere(clone: Path) -> None:
    """A uv that is absent or does not start must not end the set-up."""
    program(clone.parent / "bin/uv", BROKEN)

    result = make(clone, ".venv/run")

    assert steps(clone) == [VENV, BY_PIP.format("requirements")]
    assert "into .venv, with pip: about a minute ..." in result.stdout


def test_a_complete_environment_is_kept(clone: Path) -> None:
    """A second ``make`` must install nothing, and print nothing."""
    make(clone, ".venv/dev")

    result = make(clone, "-s", ".venv/run", ".venv/dev")

    assert (result.stdout, result.stderr, steps(clone)) == ("", "", [])


def test_new_pins_are_installed_into_the_same_environment(clone: Path) -> None:
    """An upgrade of a package must not install all the others again."""
    make(clone, ".venv/run")
    (clone / "requirements.txt").touch()

    make(clone, ".venv/run")

    assert steps(clone) == [BY_UV.format("requirements")]


@pytest.mark.parametrize("name", ["run", "dev"])
def test_an_interrupted_installation_begins_anew(clone: Path, name: str) -> None:
    """A package that was written in part must not count as installed."""
    make(clone, ".venv/run")
    (clone / "requirements.txt").touch()
    program(clone.parent / "bin/uv", f'{UV}test "$1" != pip\n')
    interrupted = make(clone, f".venv/{name}")
    program(clone.parent / "bin/uv", UV)

    make(clone, ".venv/run")

    assert interrupted.returncode == 2
    assert steps(clone) == SET_UP


def test_a_half_made_environment_is_made_anew(clone: Path) -> None:
    """A first try on Debian without ``python3-venv`` leaves a folder without pip."""
    program(clone.parent / "bin/uv", BROKEN)
    usable = (clone.parent / "bin/python3").read_text()
    program(clone.parent / "bin/python3", f'{usable}test "$2" != venv\n')
    first = make(clone, ".venv/run")
    python(clone.parent / "bin/python3")

    make(clone, ".venv/run")

    assert (first.returncode, (clone / ".venv/pyvenv.cfg").exists()) == (2, True)
    assert steps(clone) == [VENV, BY_PIP.format("requirements")]


@pytest.mark.parametrize("text", ["removed", BROKEN])
def test_an_environment_whose_python_is_gone_is_made_anew(clone: Path, text: str) -> None:
    """An upgrade of the system's Python must not break ``make run`` for ever."""
    make(clone, ".venv/run")
    broken = program(clone / ".venv/bin/python", text)
    if text == "removed":
        broken.unlink()
        broken.symlink_to("/nowhere/python3")

    make(clone, ".venv/run")

    assert steps(clone) == SET_UP


def test_an_environment_of_another_python_is_made_anew_if_one_is_named(clone: Path) -> None:
    """``PYTHON=`` must have an effect; without it the existing environment must be kept."""
    newer = python(clone.parent / "bin/python3.13", "3, 13, 0")
    make(clone, ".venv/run")

    make(clone, ".venv/run", "PYTHON=python3.13")
    renewed = steps(clone)
    make(clone, ".venv/run")

    assert renewed == SET_UP
    assert steps(clone) == []
    assert (clone / ".venv/bin/python").read_text() == newer.read_text()


@pytest.mark.parametrize("version", ["2, 7, 18", "3, 9, 6", "3, 10, 13"])
def test_an_old_python_is_refused_with_one_sentence(clone: Path, version: str) -> None:
    """The sentence must name the version, and how to choose another one."""
    python(clone.parent / "bin/python3", version)

    result = make(clone, ".venv/run")

    shown = ".".join(version.split(", ")[:2])
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        f"Python 3.11 or newer is needed; python3 is {shown}."
        " Name another one: make PYTHON=python3.14 ..."
    )
    assert not (clone / ".venv").exists()


def test_a_folder_that_is_no_environment_is_not_cleared(clone: Path) -> None:
    """A wrong ``VENV`` must not delete somebody's files."""
    (clone / "files").mkdir()
    (clone / "files/kept").touch()

    result = make(clone, "VENV=files", "files/run")

    assert result.returncode == 2
    assert result.stderr.startswith("files is not a virtual environment. Delete it, or name")
    assert [path.name for path in (clone / "files").iterdir()] == ["kept"]
    assert steps(clone) == []
