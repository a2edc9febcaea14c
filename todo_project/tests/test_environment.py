"""The sources of variables: the environment, files and ``.env`` (FR-020)."""

import os
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from todo_project.configuration.environment import BASE_DIR, env

NAME = "A_VARIABLE_OF_THE_TESTS"
Show = Callable[..., str]


@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_an_empty_variable_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """An absent or empty variable, as in ``.env.example``, must get its default."""
    if value is not None:
        monkeypatch.setenv(NAME, value)

    assert env.str(NAME, "default") == "default"
    assert env.int(NAME, 8000) == 8000
    assert env.bool(NAME, False) is False


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("given", "given"),
        ("given\n", "given"),
        ("  given\r\n", "given"),
        ("\n", "default"),
    ],
)
def test_a_variable_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, value: str
) -> None:
    """The file that ``NAME_FILE`` names must be read, and surrounding whitespace ignored."""
    (tmp_path / "secret").write_text(written)
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    assert env.str(NAME, "default") == value


def test_an_empty_file_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """``NAME_FILE=`` must not override ``NAME``."""
    monkeypatch.setenv(NAME, "given")
    monkeypatch.setenv(f"{NAME}_FILE", "")

    assert env.str(NAME, "default") == "given"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (None, f"{NAME}_FILE must be a readable file"),
        (b"\xff\xfe0123456789abcdef", f"^{NAME}_FILE must name a text file"),
    ],
    ids=["missing", "not UTF-8"],
)
def test_an_unreadable_file_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes | None, message: str
) -> None:
    """A mistyped path must not count as not set, and the content must not be shown (FR-017)."""
    if written is not None:
        (tmp_path / "secret").write_bytes(written)
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    with pytest.raises(ValueError, match=message) as refused:
        env.str(NAME, "default")
    assert "0123" not in str(refused.value)


@pytest.fixture
def show(tmp_path: Path) -> Show:
    """Return a function that reads the variable in a project with this ``.env``."""
    module = tmp_path / "project" / "todo_project" / "configuration" / "environment.py"
    module.parent.mkdir(parents=True)
    shutil.copy(BASE_DIR / "todo_project" / "configuration" / "environment.py", module)

    def show(text: str | None, **variables: str) -> str:
        if text is not None:
            (tmp_path / "project" / ".env").write_text(text)
        with mock.patch.dict(os.environ, variables):
            value: str = runpy.run_path(str(module))["env"].str(NAME, "default")
            return value

    return show


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"{NAME}=given", "given"),
        (f'{NAME}="given"', "given"),
        (f"export {NAME}=given", "given"),
        (f"# a comment\n\n{NAME}=given # and one more", "given"),
        (f"{NAME}=a#b=c$d%40+/==", "a#b=c$d%40+/=="),
        (f"{NAME}=", "default"),
        ("OTHER=given", "default"),
    ],
)
def test_a_variable_may_come_from_the_env_file(show: Show, line: str, value: str) -> None:
    """A ``.env`` in the project's folder must be read if it exists."""
    assert show(f"{line}\n") == value


@pytest.mark.parametrize(("value", "expected"), [("given", "given"), ("", "default")])
def test_the_environment_takes_precedence_over_the_env_file(
    show: Show, value: str, expected: str
) -> None:
    """A variable that is set must take precedence, even if it is empty."""
    assert show(f"{NAME}=file\n", **{NAME: value}) == expected


def test_an_env_file_elsewhere_is_not_read(
    show: Show, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only the ``.env`` in the project's folder may be read (SC-010)."""
    (tmp_path / ".env").write_text(f"{NAME}=stray\n")
    monkeypatch.chdir(tmp_path)

    assert show(None) == "default"
