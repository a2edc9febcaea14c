"""The sources of variables: the environment, files and ``.env`` (FR-020)."""

import logging
import os
import runpy
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

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
    assert env.number(NAME, 8000, 1, 9000) == 8000
    assert env.flag(NAME, True) is True
    assert env.level(NAME, "INFO") == logging.INFO


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("given", "given"),
        ("given\n", "given"),
        ("  given\r\n", "given"),
        ("\ufeffgiven\n", "given"),  # a byte-order mark
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
        (None, f"^{NAME}_FILE must name a readable file \\(No such file"),
        (b"\xff\xfe0123456789abcdef", f"^{NAME}_FILE must name a text file"),
        (b" \n", f"^{NAME}_FILE must not name an empty file"),
        (b"'0123456789'", f"^{NAME}, read from {NAME}_FILE, must not begin or end with a quot"),
        (b"0123\n4567", f"^{NAME}, read from {NAME}_FILE, must not contain a line break"),
    ],
    ids=["missing", "not UTF-8", "empty", "in quotes", "two lines"],
)
def test_an_unreadable_file_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes | None, message: str
) -> None:
    """A mistyped path must not count as not set, and the content must not be shown (FR-017)."""
    if written is not None:
        (tmp_path / "secret").write_bytes(written)
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))

    with pytest.raises(ImproperlyConfigured, match=message) as refused:
        env.str(NAME, "default")
    assert "0123" not in str(refused.value)


def test_a_folder_is_not_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message must say what is wrong with the path, whose quotes would hide it."""
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path))
    with pytest.raises(ImproperlyConfigured, match=r"a readable file \(Is a directory\)"):
        env.str(NAME, "default")

    monkeypatch.setenv(f"{NAME}_FILE", f'"{tmp_path}"')
    with pytest.raises(ImproperlyConfigured, match=f"^{NAME}_FILE must not begin or end with a qu"):
        env.str(NAME, "default")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('"0123456789"', "begin or end with a quotation mark"),
        ("'0123456789'", "begin or end with a quotation mark"),
        ("\u201c0123456789\u201d", "begin or end with a quotation mark"),
        ('"', "begin or end with a quotation mark"),
        ("0123456789'", "begin or end with a quotation mark"),
        ("0123\n456789", "contain a line break"),
        ("0123\x00456789", "contain a line break"),
        ("\ufeff0123456789", "contain a line break"),
        ("0123\udcff456789", "contain a line break"),
        ("postgresql://todo:${0123456789}@db/todo", "contain ${NAME}"),
    ],
)
def test_a_value_that_can_be_right_for_no_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    """The message must name the variable and not show the value (FR-017)."""
    monkeypatch.setattr("os.environ", {NAME: value})  # the system's cannot hold a NUL byte

    with pytest.raises(ImproperlyConfigured) as refused:
        env.str(NAME, "default")
    assert str(refused.value).startswith(f"{NAME} must not {problem}")
    assert "0123" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (NAME, " given\r\n", "given"),
        (NAME, "it's", "it's"),
        (NAME, "postgresql:///todo?options=-csearch_path='a'", None),
        (NAME, "a$b$(c)", None),
        ("BETTER_AUTH_SECRET", "0123456789'", None),
        ("BETTER_AUTH_SECRET", "a${b}c", None),
        ("BETTER_AUTH_SECRET", "straße 0123456789", None),
        ("DJANGO_SECRET_KEY", "given\n", "given"),
        ("BETTER_AUTH_SECRETS", " 2:new , 1:old\n", "2:new , 1:old"),
    ],
)
def test_a_value_that_may_be_right_is_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str | None
) -> None:
    """Surrounding blanks must be ignored; a secret may contain any character but control ones."""
    monkeypatch.setenv(name, value)

    assert env.str(name, "default") == (expected or value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(
            ["BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS"],
            ["'0123456789'", ' "0123456789"', "0123\t456789"],
        ),
        ("BETTER_AUTH_SECRET", " 0123456789"),
        ("BETTER_AUTH_SECRET", "0123456789\n"),
    ],
)
def test_a_secret_that_better_auth_may_read_in_another_way_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Otherwise every token would be a 401, and nothing would say why."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=f"^{name} must not ") as refused:
        env.str(name, "")
    assert "Better Auth may read the secret without it" in str(refused.value)
    assert "0123" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), (" TRUE ", True), ("on", True), ("1", True), ("False", False), ("no", False)],
)
def test_a_bool(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    """The usual words must be accepted, in upper or lower case."""
    monkeypatch.setenv(NAME, value)

    assert env.flag(NAME, not expected) is expected


@pytest.mark.parametrize("value", ["perhaps", "2", "true false", "True;", "-1"])
def test_a_word_that_is_no_bool_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A typing error must not count as false."""
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=rf"^{NAME} must be true or false\.$"):
        env.flag(NAME, True)


@pytest.mark.parametrize(("value", "expected"), [("1", 1), (" 65535 ", 65_535), ("0080", 80)])
def test_a_number(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    """The limits must be accepted, and blanks ignored."""
    monkeypatch.setenv(NAME, value)

    assert env.number(NAME, 8000, 1, 65_535) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("0", "65536", "-1", "+5", "1_000", "8e3", "80.0", "0x50", "nan", "inf", "two", "1 2"),
        *("²", "٣", "9" * 5000),
    ],
)
def test_a_number_that_is_not_accepted_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """The message must say which numbers are accepted."""
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured) as refused:
        env.number(NAME, 8000, 1, 65_535)
    assert str(refused.value) == f"{NAME} must be a whole number from 1 to 65535."


@pytest.mark.parametrize(
    "value", ["loud", "10", "NOTSET", "INFO,DEBUG", "critical", "FATAL", "warn"]
)
def test_a_level_that_is_unknown_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The message must list the levels."""
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured) as refused:
        env.level(NAME, "INFO")
    assert str(refused.value) == f"{NAME} must be DEBUG, INFO, WARNING or ERROR."


def test_a_refused_value_from_a_file_is_an_error_that_names_the_file_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise the message would name a variable that is not set."""
    (tmp_path / "value").write_text("loud")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "value"))
    beginning = f"^{NAME}, read from {NAME}_FILE, must be "

    with pytest.raises(ImproperlyConfigured, match=f"{beginning}true or false"):
        env.flag(NAME, True)
    with pytest.raises(ImproperlyConfigured, match=f"{beginning}a whole number"):
        env.number(NAME, 8000, 1, 65_535)
    with pytest.raises(ImproperlyConfigured, match=f"{beginning}DEBUG, INFO"):
        env.level(NAME, "INFO")


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
        (f"\ufeff{NAME}=given", "given"),
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
