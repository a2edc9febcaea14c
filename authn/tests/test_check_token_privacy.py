"""How ``manage.py check_token`` is given a token, and what it never shows (FR-017)."""

import getpass
import io
import os
import pty
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from authn.tests.better_auth_tokens import (
    JWE,
    OTHER_SECRET,
    SESSION_TOKEN,
    SIGNED_SESSION_TOKEN,
    by_another_secret,
    by_the_default,
    compact,
    plugin,
    session_by_key_pair,
    session_jwt,
)
from authn.tests.check_token_helpers import explain, feed, fingerprint
from authn.tests.forge import claims, forge
from conftest import SECRET, mint
from todo_project.configuration.environment import BASE_DIR

COMMAND = [sys.executable, str(BASE_DIR / "manage.py"), "check_token"]


def refusal(*arguments: str) -> str:
    """Return the error that the command ends with."""
    with pytest.raises(CommandError) as refused:
        call_command("check_token", *arguments, stdout=io.StringIO())
    return str(refused.value)


def test_nothing_on_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pipes nothing must be told so, and not that a token is bad."""
    messages = {}
    for sent in (b"", b" \n", b"Bearer ", b"Bearer \r\n", b"\xef\xbb\xbf\n", b'""', b"Bearer\n"):
        feed(monkeypatch, sent)
        messages[sent] = refusal()
    feed(monkeypatch, b"Authorization: Bearer\n")

    assert {*messages.values(), refusal()} == {"There is no token on standard input."}


def test_bytes_that_are_no_text_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another kind must be refused as a token is."""
    feed(monkeypatch, bytes(range(256)))

    assert refusal() == "The API refuses this token."


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


@pytest.mark.live
def test_a_terminal_does_not_echo_the_token() -> None:
    """A real terminal must show the prompt, the explanation and no token, and end well."""
    ours, theirs = pty.openpty()
    token = mint()
    with subprocess.Popen(
        COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            shown = _read_until(ours, b"Token: ")
            os.write(ours, f"{token}\n".encode())
            shown += _read_until(ours, b"accepts it on /api/alice/tasks")
            assert process.wait(60) == 0
        finally:
            process.kill()
    os.close(ours)

    assert not [part for part in token.split(".") if part.encode() in shown]


def _read_until(terminal: int, text: bytes) -> bytes:
    read = b""
    while text not in read:
        read += os.read(terminal, 4096)  # raises when the other side is gone
    return read


def test_a_token_is_never_an_argument() -> None:
    """A shell would keep it in its history, and every user of the machine could see it."""
    tried = [[mint()], ["--token", mint()], [f"--token={mint()}"]]

    refusals = [refusal(*arguments) for arguments in tried]

    assert [each for each in refusals if "unrecognized arguments" not in each] == []


@pytest.mark.live
def test_the_exit_code_says_that_the_api_refuses_it() -> None:
    """A script must be able to tell, without a trace and without reading the words."""
    ran = subprocess.run(COMMAND, input=mint(exp=1).encode(), capture_output=True, timeout=60)

    assert ran.returncode == 1
    assert ran.stderr == b"CommandError: The API refuses this token.\n"


def test_each_configured_secret_is_shown_by_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """During a rotation both sides must be able to compare all of them."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": (SECRET, OTHER_SECRET)}
    feed(monkeypatch, by_another_secret().encode())
    said = io.StringIO()

    call_command("check_token", stdout=said)

    shown = [line.split()[-1] for line in said.getvalue().splitlines() if line[:6] == "Secret"]
    assert shown == [fingerprint(SECRET), fingerprint(OTHER_SECRET)]


def test_nothing_that_could_be_misused_is_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither secret, token, nor the session token inside may reach a screen (FR-017)."""
    tokens = [
        *[session_jwt(), session_jwt(exp=1), session_by_key_pair(), compact()],
        *[SIGNED_SESSION_TOKEN, SESSION_TOKEN, JWE, plugin(), by_the_default()],
    ]

    said = {token: str(explain(monkeypatch, token)) for token in tokens}

    beside = "".join(capfd.readouterr())
    assert [
        (private, text)
        for token, text in said.items()
        for private in (SECRET, SESSION_TOKEN, *token.split("."))
        if len(private) > 5 and private in text + beside
    ] == []


def test_a_token_cannot_play_with_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a token holds, what is shown of it must be printable ASCII."""
    tricks = [
        forge(claims(sub="\x1b[2J\u202ezo\u00eb\n"), {"alg": "\x1b[2J\nHS256"}),
        forge(claims(sub="\x1b[2J\u202eeve\n", iss="\x1b[2J", aud=["\x9b2J"]), secret=OTHER_SECRET),
        "\x1b[2J\u20ac",
    ]

    said = [text for token in tricks for text in explain(monkeypatch, token).values()]

    assert len(said) > len(tricks)
    assert [text for text in said if not (text.isascii() and text.isprintable())] == []
