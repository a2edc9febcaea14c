"""Runs ``manage.py check_token`` with a token on standard input."""

import hashlib
import io

import pytest
from django.core.management import CommandError, call_command


def set_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Replace standard input with these bytes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def explain(monkeypatch: pytest.MonkeyPatch, token: str) -> dict[str, str]:
    """Return the command's output lines by label; assert that verdict and exit code agree."""
    set_stdin(monkeypatch, f"{token}\n".encode())
    stdout = io.StringIO()
    exit_code = 0
    try:
        call_command("check_token", stdout=stdout)
    except CommandError as error:
        assert str(error) == "The API refuses this token."  # noqa: PT017 - raised for some tokens
        exit_code = error.returncode
    lines = {line[:11].rstrip(" :"): line[12:] for line in stdout.getvalue().splitlines()}
    assert lines["The API"].startswith(("accepts it on ", "refuses it (")[exit_code])
    return lines


def fingerprint(secret: str) -> str:
    """Return the fingerprint that the documented shell command prints."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]
