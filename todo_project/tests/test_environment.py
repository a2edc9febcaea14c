"""Where variables come from (FR-020)."""

from pathlib import Path

import pytest

from todo_project.environment import env
from todo_project.tests.live_server import run

NAME = "A_VARIABLE_OF_THE_TESTS"
SHOW = ("-c", f"from todo_project.environment import env; print(env.str({NAME!r}, 'default'))")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.delenv(f"{NAME}_FILE", raising=False)


def test_a_variable_in_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment must be read."""
    monkeypatch.setenv(NAME, "given")

    assert env.str(NAME, "default") == "given"


@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_an_empty_variable_is_one_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """A compose file leaves a variable out by leaving it empty."""
    if value is not None:
        monkeypatch.setenv(NAME, value)

    assert env.str(NAME, "default") == "default"
    assert env.int(NAME, 8000) == 8000
    assert env.bool(NAME, False) is False


@pytest.mark.parametrize("written", ["given", "given\n", "  given\r\n"])
def test_a_variable_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str
) -> None:
    """``NAME_FILE`` names a Docker secret; a line break at its end must not count."""
    (tmp_path / "secret").write_text(written)
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    assert env.str(NAME, "default") == "given"


def test_an_empty_file_is_a_variable_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An empty secret must not stand for one."""
    (tmp_path / "secret").write_text("\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    assert env.str(NAME, "default") == "default"


def test_an_empty_file_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """``NAME_FILE=`` must leave ``NAME`` alone."""
    monkeypatch.setenv(NAME, "given")
    monkeypatch.setenv(f"{NAME}_FILE", "")

    assert env.str(NAME, "default") == "given"


def test_a_file_that_is_missing_is_refused_by_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistyped path must not pass for a secret that is not set."""
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "missing"))

    with pytest.raises(ValueError, match=f"{NAME}_FILE must be a readable file"):
        env.str(NAME, "default")


def test_a_file_that_is_not_utf8_is_refused_by_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key in raw bytes must not end in an error that says neither which nor why (FR-017)."""
    (tmp_path / "secret").write_bytes(b"\xff\xfe0123456789abcdef")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    with pytest.raises(ValueError, match=f"^{NAME}_FILE must name a file of text") as refused:
        env.str(NAME, "default")
    assert "0123" not in str(refused.value)


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
def test_a_variable_may_come_from_the_env_file(project: Path, line: str, value: str) -> None:
    """A ``.env`` in the project's folder must be read, if there is one."""
    (project / ".env").write_text(f"{line}\n")

    assert run(project, *SHOW).stdout == f"{value}\n"


def test_the_env_file_may_be_missing(project: Path) -> None:
    """Environment variables alone must do (SC-010)."""
    assert run(project, *SHOW).stdout == "default\n"


@pytest.mark.parametrize(("value", "expected"), [("given", "given"), ("", "default")])
def test_the_environment_wins_over_the_env_file(project: Path, value: str, expected: str) -> None:
    """A variable that is set must win, an empty one included."""
    (project / ".env").write_text(f"{NAME}=file\n")

    assert run(project, *SHOW, **{NAME: value}).stdout == f"{expected}\n"


def test_an_env_file_elsewhere_is_not_read(project: Path) -> None:
    """Only the project's own ``.env`` counts, wherever the command is started."""
    (project.parent / ".env").write_text(f"{NAME}=stray\n")

    assert run(project, *SHOW).stdout == "default\n"
