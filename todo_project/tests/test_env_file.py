"""A ``.env`` that cannot be read, or not as a whole (FR-020)."""

from pathlib import Path

import pytest
from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured

from todo_project.checks import ENV_FILE
from todo_project.configuration.env_file import EnvFile, read_env_file
from todo_project.configuration.environment import Environment, env

HIDDEN = "x7Qp2mVz9Lk4"
REQUIRED = {"BETTER_AUTH_SECRET": HIDDEN, "NEON_DATABASE_URL": "sqlite:///db.sqlite3"}
# the contents of a file, and what a message says about it
UNREADABLE = {
    "UTF-16": (f"BETTER_AUTH_SECRET={HIDDEN}".encode("utf-16"), "must be a text file in UTF-8. Po"),
    "UTF-16 without a mark": (f"A={HIDDEN}".encode("utf-16-le"), "must be a text file in UTF-8. "),
    "Latin-1": (f"# für\nBETTER_AUTH_SECRET={HIDDEN}".encode("latin-1"), "must be a text file in"),
    "a NUL byte": (f"A={HIDDEN}\0\n".encode(), "must be a text file in UTF-8."),
    "an open quote": (f"\n\nA='{HIDDEN}\n".encode(), "line 3, must have the form NAME=value"),
    "a colon": (f"A=1\nA: {HIDDEN}\n".encode(), "line 2, must have the form NAME=value"),
    "PowerShell": (
        f"A=1\n$env:B={HIDDEN}\n".encode(),
        "line 2, must have the form NAME=value, with",
    ),
    "JSON": (
        f'{{"A":"{HIDDEN}"}}'.encode(),
        "line 1, must have the form NAME=value, with a name of",
    ),
    "JSON and base64": (f'{{"A":"{HIDDEN}="}}'.encode(), "line 1, must have the form NAME=value"),
    "half a value": (
        f"A=1\n{HIDDEN}/a==\n".encode(),
        "line 2, must have the form NAME=value, with",
    ),
    "text after a quote": (f"A='{HIDDEN}' b\n".encode(), "line 1, must have the form NAME=value"),
}


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the path of a ``.env``; the environment has none of the variables."""
    monkeypatch.setattr("os.environ", {})
    return tmp_path / ".env"


@pytest.mark.parametrize(("written", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_an_error(path: Path, written: bytes, problem: str) -> None:
    """One line must name the file and the problem, and show nothing of the contents (FR-017)."""
    path.write_bytes(written)

    with pytest.raises(ImproperlyConfigured) as refused:
        Environment(path).str("BETTER_AUTH_SECRET", "")
    message = str(refused.value)
    assert message.startswith((f".env {problem}", f".env, {problem}"))
    assert "\n" not in message
    assert HIDDEN not in message


def test_what_is_no_file_is_an_error(path: Path, tmp_path: Path) -> None:
    """Docker creates a folder for a file that does not exist; a link may lead nowhere."""
    path.mkdir()
    with pytest.raises(ImproperlyConfigured, match=r"^\.env must be .+\(Is a directory\)\.$"):
        read_env_file(path)
    path.rmdir()
    path.symlink_to(tmp_path / "missing")
    with pytest.raises(ImproperlyConfigured, match=r"^\.env must be .+\(No such file or directory"):
        read_env_file(path)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(ImproperlyConfigured, match=r"^\.env must be .+\(Too many levels of symbo"):
        read_env_file(path)


def test_a_file_that_is_missing_is_no_error(path: Path) -> None:
    """A container has no ``.env``."""
    assert read_env_file(path) == EnvFile({}, [])


@pytest.mark.parametrize(
    "variables",
    [
        REQUIRED,
        {"BETTER_AUTH_SECRETS": "2:a", "DATABASE_URL": "b"},
        {"BETTER_AUTH_SECRET_FILE": "a", "NEON_DATABASE_URL_FILE": "b"},
        {"BETTER_AUTH_SECRET": "a", "DEBUG": " True"},
    ],
    ids=" ".join,
)
def test_a_file_that_is_not_needed_is_a_warning(
    path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """The service must start if the environment has every variable that is required."""
    monkeypatch.setattr("os.environ", variables)
    path.write_bytes(b"\xff\xfeA\0")

    read = read_env_file(path)

    assert read.values == {}
    assert [line[:32] for line in read.warnings] == [".env must be a text file in UTF-"]


@pytest.mark.parametrize(
    "variables",
    [
        {**REQUIRED, "NEON_DATABASE_URL": ""},
        {**REQUIRED, "BETTER_AUTH_SECRET": ""},
        {"BETTER_AUTH_SECRET": "a", "DEBUG": "false"},
    ],
    ids=str,
)
def test_a_file_that_is_needed_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Otherwise the message would be that a variable is not set, which the file may set."""
    monkeypatch.setattr("os.environ", variables)
    path.mkdir()

    with pytest.raises(ImproperlyConfigured, match=r"^\.env must be"):
        read_env_file(path)


def test_a_line_that_is_ignored_is_a_warning(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other lines must count; no warning may show text that could be a part of a secret."""
    monkeypatch.setattr("os.environ", REQUIRED)
    path.write_text(
        f"A=1\n# a comment\n\n{HIDDEN}\nB=2\n'{HIDDEN}'=3\nC: 4\n'{HIDDEN}'=5\nD=\n$env:E=6\n"
    )

    read = read_env_file(path)

    assert read.values == {"A": "1", "B": "2", HIDDEN: "5", "D": ""}
    assert [line.partition(HIDDEN)[0][:44] for line in read.warnings] == [
        ".env, line 4, has no effect: it has a name b",
        ".env, line 7, must have the form NAME=value,",
        ".env sets a variable of line 6 again in line",
        ".env, line 10, must have the form NAME=value",
    ]
    assert HIDDEN not in str(read.warnings)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b${HOME}c$d", "b${HOME}c$d"),
        ('A="b${HOME}c"', "b${HOME}c"),
        ("A='b\\c'", "b\\c"),
        ('A="b\nc"', "b\nc"),
        ("A=b\r", "b"),
    ],
)
def test_a_value_is_taken_literally(path: Path, line: str, value: str) -> None:
    """A ``$`` in a secret must not be expanded."""
    path.write_text(f"{line}\n", newline="")

    assert read_env_file(path).values == {"A": value}


def test_a_name_of_another_program_is_no_error(path: Path) -> None:
    """A file that is shared may have names with hyphens and dots."""
    path.write_text("a.b-c=1\nexport _D2=3\n")

    assert read_env_file(path) == EnvFile({"a.b-c": "1", "_D2": "3"}, [])


def test_a_warning_is_reported_by_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """`manage.py check` and the log at the start must have it."""
    monkeypatch.setattr(env, "file", EnvFile({}, ["A sentence."]))

    [found] = [each for each in run_checks(tags=[Tags.security]) if each.id == ENV_FILE]

    assert (found.msg, found.is_serious()) == ("A sentence.", False)
