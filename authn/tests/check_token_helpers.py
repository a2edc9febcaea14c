"""The doctor, asked through its standard input."""

import hashlib
import io

import pytest
from django.core.management import CommandError, call_command


def feed(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """Give a command its standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent)))


def explain(monkeypatch: pytest.MonkeyPatch, token: str, *, accepted: bool) -> dict[str, str]:
    """Return what the doctor says of a token on standard input, by its labels."""
    feed(monkeypatch, f"{token}\n".encode())
    said = io.StringIO()
    if accepted:
        call_command("check_token", stdout=said)
    else:
        with pytest.raises(CommandError, match=r"^The API refuses this token\.$") as refusal:
            call_command("check_token", stdout=said)
        assert refusal.value.returncode == 1
    return {line[:11].rstrip(" :"): line[12:] for line in said.getvalue().splitlines()}


def fingerprint(secret: str) -> str:
    """Return what a shell on the other side prints."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]
