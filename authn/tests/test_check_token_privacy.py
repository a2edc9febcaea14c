"""How the doctor is given a token, and what it never shows (FR-017)."""

import getpass
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from authn.tests import better_auth_tokens
from authn.tests.better_auth_tokens import JWE, OTHER_SECRET, SESSION_TOKEN, SIGNED_SESSION_TOKEN
from authn.tests.check_token_helpers import explain, feed, fingerprint
from authn.tests.forge import claims, forge
from conftest import SECRET, mint
from todo_project.environment import BASE_DIR

COMMAND = [sys.executable, str(BASE_DIR / "manage.py"), "check_token"]


@pytest.mark.parametrize(
    "sent",
    [b"", b" \n", b"Bearer ", b"Bearer \r\n", b"\xef\xbb\xbf\n", b'""', b"Authorization: Bearer\n"],
)
def test_nothing_on_standard_input_is_an_error(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Whoever pipes nothing must be told so, and not that a token is bad."""
    feed(monkeypatch, sent)

    with pytest.raises(CommandError, match=r"^There is no token on standard input\.$"):
        call_command("check_token", stdout=io.StringIO())


def test_bytes_that_are_no_text_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another kind must be refused as a token is."""
    feed(monkeypatch, bytes(range(256)))

    with pytest.raises(CommandError, match=r"^The API refuses this token\.$"):
        call_command("check_token", stdout=io.StringIO())


def test_at_a_terminal_it_asks_without_showing_what_is_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A prompt must not leave the token on the screen."""
    typed = {"Token: ": mint()}
    feed(monkeypatch, b"")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", typed.pop)
    said = io.StringIO()

    call_command("check_token", stdout=said)

    assert not typed
    assert "accepts it on /api/alice/tasks" in said.getvalue()


def test_a_terminal_does_not_echo_the_token() -> None:
    """A real terminal must show the prompt, the explanation and no token."""
    ours, theirs = pty.openpty()
    token = mint()
    with subprocess.Popen(
        COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = _read_until(ours, b"Token: ")
        os.write(ours, f"{token}\n".encode())
        shown += _read_until(ours, b"accepts it on /api/alice/tasks")
        assert process.wait(30) == 0
    os.close(ours)

    assert not [part for part in token.split(".") if part.encode() in shown]


def _read_until(terminal: int, text: bytes) -> bytes:
    read = b""
    while text not in read:
        read += os.read(terminal, 4096)  # raises when the other side is gone
    return read


@pytest.mark.parametrize("arguments", [[mint()], ["--token", mint()], [f"--token={mint()}"]])
def test_a_token_is_never_an_argument(arguments: list[str]) -> None:
    """A shell would keep it in its history, and every user of the machine could see it."""
    ran = subprocess.run([*COMMAND, *arguments], input=b"", capture_output=True, timeout=60)

    assert ran.returncode == 2
    assert b"unrecognized arguments" in ran.stderr


@pytest.mark.parametrize(("token", "status"), [(mint(), 0), (mint(exp=1), 1), ("", 1)])
def test_the_exit_code_says_whether_the_api_accepts_it(
    tmp_path: Path, token: str, status: int
) -> None:
    """A script must be able to tell, without a trace and without reading the words."""
    ran = subprocess.run(COMMAND, input=token.encode(), cwd=tmp_path, capture_output=True)

    assert ran.returncode == status
    assert ran.stderr.startswith(b"CommandError: " if status else b"")
    assert b"Traceback" not in ran.stderr


def test_each_configured_secret_is_shown_by_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """During a rotation both sides must be able to compare all of them."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": (SECRET, OTHER_SECRET)}
    feed(monkeypatch, better_auth_tokens.by_another_secret().encode())
    said = io.StringIO()

    call_command("check_token", stdout=said)

    shown = [line.split()[-1] for line in said.getvalue().splitlines() if line[:6] == "Secret"]
    assert shown == [fingerprint(SECRET), fingerprint(OTHER_SECRET)]


@pytest.mark.parametrize(
    "token",
    [
        better_auth_tokens.session_jwt(),
        better_auth_tokens.session_jwt(exp=1),
        better_auth_tokens.session_by_key_pair(),
        better_auth_tokens.compact(),
        SIGNED_SESSION_TOKEN,
        SESSION_TOKEN,
        JWE,
        better_auth_tokens.plugin(),
        better_auth_tokens.by_the_default(),
    ],
)
def test_nothing_that_could_be_misused_is_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], token: str
) -> None:
    """Neither secret, token, nor the session token inside may reach a screen (FR-017)."""
    feed(monkeypatch, token.encode())
    said = io.StringIO()
    try:
        call_command("check_token", stdout=said)
    except CommandError as refusal:
        said.write(str(refusal))

    shown = said.getvalue() + "".join(capfd.readouterr())
    private = [SECRET, SESSION_TOKEN, *[part for part in token.split(".") if len(part) > 5]]
    assert not [each for each in private if each in shown]


@pytest.mark.parametrize(
    "token",
    [
        forge(claims(sub="\x1b[2J\u202eeve\n"), {"alg": "\x1b[2J\nHS256"}),
        forge(claims(sub="\x1b[2J\u202eeve\n", iss="\x1b[2J", aud=["\x9b2J"]), secret=OTHER_SECRET),
        "\x1b[2J\u20ac",
    ],
)
def test_a_token_cannot_play_with_the_screen(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Whatever a token holds, what is shown of it must be printable ASCII."""
    said = explain(monkeypatch, token, accepted=False)

    assert all(line.isascii() and line.isprintable() for line in said.values())
    assert "\x1b" not in "".join(said)
