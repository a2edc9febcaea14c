"""Which virtual environments ``make`` keeps, rebuilds and refuses."""

from pathlib import Path

import pytest

from todo_project.tests.makefile_runs import (
    BROKEN,
    BY_PIP,
    BY_UV,
    SET_UP,
    SET_UP_BY_PIP,
    UV,
    clone_of,
    make,
    program,
    python,
    steps,
)

pytestmark = pytest.mark.live


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, beside a machine with uv and Python 3.12."""
    return clone_of(tmp_path)


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
    program(clone.parent / "bin/python3", f'{usable}test "$4" = --without-pip\n')
    first = make(clone, ".venv/run")
    python(clone.parent / "bin/python3")

    make(clone, ".venv/run")

    assert (first.returncode, (clone / ".venv/pyvenv.cfg").exists()) == (2, True)
    assert steps(clone) == SET_UP_BY_PIP


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


def make_by_hand(clone: Path) -> Path:
    """Make an environment without ``make``, and return a file of its owner in it."""
    (clone / ".venv").mkdir()
    python(clone / ".venv/bin/python")
    (clone / ".venv/pyvenv.cfg").touch()
    (kept := clone / ".venv/kept").touch()
    return kept


@pytest.mark.parametrize("uv", [UV, BROKEN])
def test_an_environment_made_by_hand_is_completed(clone: Path, uv: str) -> None:
    """The one of docs/deployment.md, "Installing", works, and may hold other packages."""
    kept = make_by_hand(clone)
    program(clone.parent / "bin/uv", uv)
    by = BY_UV if uv == UV else BY_PIP

    make(clone, ".venv/run")
    completed = steps(clone)
    make(clone, ".venv/run")

    assert (completed, steps(clone)) == ([by.format("requirements")], [])
    assert kept.exists()


def test_an_interrupted_installation_into_an_environment_made_by_hand_continues(
    clone: Path,
) -> None:
    """The interruption must not make it an environment of ``make``."""
    kept = make_by_hand(clone)
    program(clone.parent / "bin/uv", f'{UV}test "$1" != pip\n')
    make(clone, ".venv/dev")
    program(clone.parent / "bin/uv", UV)

    make(clone, ".venv/run")

    assert steps(clone) == [BY_UV.format("requirements")]
    assert kept.exists()


def test_packages_that_were_removed_from_an_environment_made_by_hand_return(clone: Path) -> None:
    """An upgrade of its Python leaves the packages with the previous version."""
    kept = make_by_hand(clone)
    make(clone, ".venv/run")
    python(clone / ".venv/bin/python", "3, 13, 0", absent="django")

    make(clone, ".venv/run")

    assert steps(clone) == [BY_UV.format("requirements")]
    assert kept.exists()


@pytest.mark.parametrize(
    ("version", "absent", "arguments", "needed"),
    [
        ("3, 12, 4", "sys", (), "Python 3.11 or newer"),  # does not start
        ("3, 9, 6", "nothing", (), "Python 3.11 or newer"),
        ("3, 11, 2", "nothing", ("PYTHON=python3",), "python3"),
        ("3, 12, 4", "pip", ("UV=",), "Python 3.11 or newer with pip"),
    ],
)
def test_an_environment_made_by_hand_that_does_not_fit_is_refused(
    clone: Path, version: str, absent: str, arguments: tuple[str, ...], needed: str
) -> None:
    """Only its owner knows whether it can be deleted."""
    kept = make_by_hand(clone)
    python(clone / ".venv/bin/python", version, absent)

    result = make(clone, *arguments, ".venv/run")

    assert (result.returncode, steps(clone), kept.exists()) == (2, [], True)
    assert result.stderr.splitlines()[0] == (
        f".venv is not a virtual environment of {needed}, and was not made by make."
        " Delete it, or name another one: make VENV=.venv-2 ..."
    )


def test_a_folder_that_is_no_environment_is_not_cleared(clone: Path) -> None:
    """A wrong ``VENV`` must not delete somebody's files."""
    (clone / "files").mkdir()
    (clone / "files/kept").touch()

    result = make(clone, "VENV=files", "files/run")

    assert result.returncode == 2
    assert result.stderr.startswith("files is not a virtual environment of Python 3.11 or newer, ")
    assert [path.name for path in (clone / "files").iterdir()] == ["kept"]
    assert steps(clone) == []
