"""Tests of ``manage.py check_token``: its input, and the secrets it must not show (FR-017)."""

import getpass
import io
import os
import pty
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from authn.management.commands.check_token import MAX_INPUT_BYTES
from authn.tests.better_auth_tokens import (
    JWE,
    OTHER_SECRET,
    SESSION_TOKEN,
    SIGNED_SESSION_TOKEN,
    compact,
    key_pair_session_jwt,
    plugin,
    session_jwt,
    signed_with_default_secret,
    signed_with_other_secret,
)
from authn.tests.check_token_runner import explain, fingerprint, set_stdin
from authn.tests.forge import claims, forge
from conftest import SECRET, mint
from todo_project.configuration.environment import BASE_DIR

COMMAND = [sys.executable, str(BASE_DIR / "manage.py"), "check_token"]


def refusal(*arguments: str) -> str:
    """Run the command and return its error."""
    with pytest.raises(CommandError) as raised:
        call_command("check_token", *arguments, stdout=io.StringIO())
    return str(raised.value)


def test_empty_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error must say that there is no token, not that the token is invalid."""
    messages = {}
    for sent in (b"", b" \n", b"Bearer ", b"Bearer \r\n", b"\xef\xbb\xbf\n", b'""', b"Bearer\n"):
        set_stdin(monkeypatch, sent)
        messages[sent] = refusal()
    set_stdin(monkeypatch, b"Authorization: Bearer\n")

    assert {*messages.values(), refusal()} == {"There is no token on standard input."}


def test_input_that_is_not_utf8_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error must say what is expected; PowerShell writes UTF-16."""
    inputs = [
        bytes(range(256)),
        mint().encode("utf-16"),
        mint().encode("utf-16-le"),
        b"\xff",
        b"a\0",
    ]
    messages = []
    for sent in inputs:
        set_stdin(monkeypatch, sent)
        messages.append(refusal())

    assert messages == ["Standard input must be a token as text in UTF-8."] * len(inputs)


def test_input_that_is_too_long_for_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command must not read more than that, whatever is on standard input."""
    set_stdin(monkeypatch, b"a" * MAX_INPUT_BYTES)
    longest = refusal()
    set_stdin(monkeypatch, b"a" * (MAX_INPUT_BYTES + 1000))

    assert longest == "The API refuses this token."
    assert refusal() == f"Standard input is longer than {MAX_INPUT_BYTES} bytes: not a token."
    assert sys.stdin.buffer.tell() == MAX_INPUT_BYTES + 1


def test_json_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error must say what is expected, also for JSON that cannot be parsed."""
    inputs = ["{}", '{"token": null}', '{"message": "Unauthorized"}', "{", '{"token":' * 5000]
    messages = {}
    for sent in inputs:
        set_stdin(monkeypatch, sent.encode())
        messages[sent[:20]] = refusal()

    assert {message.partition(":")[0] for message in messages.values()} == {
        "Standard input must be a token, or JSON with one"
    }


def test_the_end_of_input_at_the_prompt_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-D must end the command with one line."""

    def end(prompt: str) -> str:
        raise EOFError(prompt)

    set_stdin(monkeypatch, b"")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", end)

    assert refusal() == "There is no token on standard input."


def test_at_a_terminal_the_command_prompts_without_echo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The prompt must not echo the token."""
    input_by_prompt = {"Token: ": mint()}
    set_stdin(monkeypatch, b"")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", input_by_prompt.pop)
    stdout = io.StringIO()

    call_command("check_token", stdout=stdout)

    assert not input_by_prompt
    assert "accepts it on /api/alice/tasks" in stdout.getvalue()


@pytest.mark.live
def test_a_terminal_does_not_echo_the_token() -> None:
    """A real terminal must show the prompt and the explanation but not the token."""
    controller, terminal = pty.openpty()
    token = mint()
    with subprocess.Popen(
        COMMAND, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    ) as process:
        os.close(terminal)
        try:
            output = _read_until(controller, b"Token: ")
            os.write(controller, f"{token}\n".encode())
            output += _read_until(controller, b"accepts it on /api/alice/tasks")
            assert process.wait(60) == 0
        finally:
            process.kill()
    os.close(controller)

    assert not [part for part in token.split(".") if part.encode() in output]


def _read_until(controller: int, text: bytes) -> bytes:
    output = b""
    while text not in output:
        output += os.read(controller, 4096)  # raises OSError if the process has ended
    return output


def test_a_token_is_not_accepted_as_an_argument() -> None:
    """An argument must be refused: shell history and process lists would expose the token."""
    attempts = [[mint()], ["--token", mint()], [f"--token={mint()}"]]

    errors = [refusal(*arguments) for arguments in attempts]

    assert [error for error in errors if "unrecognized arguments" not in error] == []


@pytest.mark.live
def test_the_exit_code_of_a_refusal_is_1() -> None:
    """A script must be able to detect a refusal, and there must be no traceback."""
    process = subprocess.run(COMMAND, input=mint(exp=1).encode(), capture_output=True, timeout=60)

    assert process.returncode == 1
    assert process.stderr == b"CommandError: The API refuses this token.\n"


def test_the_fingerprint_of_each_configured_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """During a rotation, operators must be able to compare all secrets."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": (SECRET, OTHER_SECRET)}
    set_stdin(monkeypatch, signed_with_other_secret().encode())
    stdout = io.StringIO()

    call_command("check_token", stdout=stdout)

    lines = stdout.getvalue().splitlines()
    shown = [line.split()[-1] for line in lines if line.startswith("Secret")]
    assert shown == [fingerprint(SECRET), fingerprint(OTHER_SECRET)]


def test_no_secret_or_token_is_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The output must contain no secret, token or session token (FR-017)."""
    tokens = [
        *[session_jwt(), session_jwt(exp=1), key_pair_session_jwt(), compact()],
        *[SIGNED_SESSION_TOKEN, SESSION_TOKEN, JWE, plugin(), signed_with_default_secret()],
    ]

    outputs = {token: str(explain(monkeypatch, token)) for token in tokens}

    other_output = "".join(capfd.readouterr())
    assert [
        (private, output)
        for token, output in outputs.items()
        for private in (SECRET, SESSION_TOKEN, *token.split("."))
        if len(private) > 5 and private in output + other_output
    ] == []


def test_a_token_cannot_control_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output must be printable ASCII for any token."""
    tokens = [
        forge(claims(sub="\x1b[2J\u202ezo\u00eb\n"), {"alg": "\x1b[2J\nHS256"}),
        forge(claims(sub="\x1b[2J\u202eeve\n", iss="\x1b[2J", aud=["\x9b2J"]), secret=OTHER_SECRET),
        "\x1b[2J\u20ac",
    ]

    lines = [line for token in tokens for line in explain(monkeypatch, token).values()]

    assert len(lines) > len(tokens)
    assert [line for line in lines if not (line.isascii() and line.isprintable())] == []
