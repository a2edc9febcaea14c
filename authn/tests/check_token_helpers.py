"""``manage.py check_token``, with a token on its standard input."""

import hashlib
import io

import pytest
from django.core.management import CommandError, call_command


def feed(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """Give a command its standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent)))


def explain(monkeypatch: pytest.MonkeyPatch, token: str) -> dict[str, str]:
    """Return what the command says of a token, by its labels; its exit code must agree."""
    feed(monkeypatch, f"{token}\n".encode())
    printed = io.StringIO()
    status = 0
    try:
        call_command("check_token", stdout=printed)
    except CommandError as refusal:
        assert str(refusal) == "The API refuses this token."  # noqa: PT017 - or no refusal at all
        status = refusal.returncode
    said = {line[:11].rstrip(" :"): line[12:] for line in printed.getvalue().splitlines()}
    assert said["The API"].startswith(("accepts it on ", "refuses it (")[status])
    return said


def fingerprint(secret: str) -> str:
    """Return what a shell on the other side prints."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]
