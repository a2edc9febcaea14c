"""Commands whose standard streams are closed, full, or not read to the end."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import mint
from todo_project.configuration.environment import BASE_DIR
from todo_project.streams import standard_streams

FULL = "Cannot write to standard output: No space left on device."


def run(error: BaseException | None = None) -> None:
    """Run a command that writes some output and then raises an error, if any."""
    with standard_streams():
        sys.stdout.write("output")
        if error:
            raise error


def end_on_a_full_disk(monkeypatch: pytest.MonkeyPatch, error: BaseException | None = None) -> Any:
    """Run a command; return what its process ends with."""
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            run(error)
    return ended.value.code  # and the disk has been closed without an error, as at exit


def test_a_command_with_open_streams_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """The streams must stay as they are, and the output must be written."""
    before = sys.stdin, sys.stdout, sys.stderr
    run()

    assert (sys.stdin, sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "output"


def test_output_that_cannot_be_written_ends_the_command_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No command may succeed whose result is lost; Python must not report it again at exit."""
    assert end_on_a_full_disk(monkeypatch) == FULL


@pytest.mark.parametrize(("code", "expected"), [(0, FULL), (None, FULL), (2, 2), ("line", "line")])
def test_a_command_that_has_failed_keeps_its_own_end(
    monkeypatch: pytest.MonkeyPatch, code: str | int | None, expected: object
) -> None:
    """A command has already said why it failed; one that has succeeded must fail now."""
    assert end_on_a_full_disk(monkeypatch, SystemExit(code)) == expected


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "No such file"), OSError(errno.ENOSPC, "No", "file")]
)
def test_other_errors_are_not_taken_for_those_of_the_streams(error: OSError) -> None:
    """An error of another file must be reported as what it is."""
    with pytest.raises(OSError, match="No") as raised:
        run(error)

    assert raised.value is error


def test_closed_streams_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input must be empty, errors must be discarded, and output must fail."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)

    with pytest.raises(SystemExit, match=r"standard output: Bad file descriptor\.$"):
        run()

    with sys.stdin as stdin, sys.stdout, sys.stderr as stderr:
        assert stdin.read() == ""
        assert stderr.write("discarded") > 0


@pytest.mark.live
@pytest.mark.parametrize(
    ("command", "exit_code", "line"),
    [
        ("check_token <&-", 1, "CommandError: There is no token on standard input."),
        ("check_token >&-", 1, "Cannot write to standard output: Bad file descriptor."),
        ("check_token >/dev/full", 1, FULL),
        ("check_token 2>/dev/full", 0, ""),
        ("check_token <&- >&- 2>&-", 1, ""),
        ("issue_token demo 2>&-", 1, ""),
        ("issue_token demo --force >/dev/full", 1, FULL),
        ("issue_token demo --force | sleep 0", 1, "Cannot write to standard output: Broken pipe."),
        ("import_tasks no-file <&- >&-", 1, "CommandError: Cannot read no-file: No such file"),
    ],
)
def test_a_command_without_a_stream_prints_at_most_one_line(
    command: str, exit_code: int, line: str
) -> None:
    """There must be no traceback, and the exit code must tell whether the result was written."""
    done = subprocess.run(
        ["/bin/bash", "-c", f'set -o pipefail; "$0" manage.py {command}', sys.executable],
        cwd=BASE_DIR,
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # so that the end writes the output
        input=mint(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr.count("\n")) == (exit_code, int(bool(line)))
    assert done.stderr.startswith(line)
