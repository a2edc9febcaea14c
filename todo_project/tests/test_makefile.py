"""How ``make`` installs the packages."""

from pathlib import Path

import pytest

from todo_project.tests.makefile_runs import (
    BROKEN,
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

    assert steps(clone) == SET_UP_BY_PIP
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


def test_a_failure_of_uv_names_pip(clone: Path) -> None:
    """A uv that cannot install, such as behind a proxy that only pip knows, must not be the end."""
    program(clone.parent / "bin/uv", f'{UV}test "$1" != pip\n')

    result = make(clone, ".venv/run")

    assert result.returncode == 2
    assert result.stderr.startswith("uv failed. To try pip instead: make .venv/run UV=\n")


@pytest.mark.parametrize("venv", ["", " ", "a b"])
def test_a_venv_that_is_not_one_name_is_refused(clone: Path, venv: str) -> None:
    """The message must say what is accepted, and no folder may be left."""
    before = sorted(clone.iterdir())

    result = make(clone, f"VENV={venv}", "run")

    assert result.returncode == 2
    assert "VENV must be a folder without blanks in its name, such as .venv-2." in result.stderr
    assert sorted(clone.iterdir()) == before


def test_the_list_of_targets_has_two_columns(clone: Path) -> None:
    """The longest name must not shift its description."""
    lines = make(clone).stdout.splitlines()

    starts = {len(line) - len(line.split(maxsplit=1)[1]) for line in lines}
    assert len(starts) == 1
