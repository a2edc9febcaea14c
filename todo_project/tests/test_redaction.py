"""Redaction of the log (FR-017)."""

import io
import logging

import pytest

from conftest import SECRET, mint
from todo_project.logs import redaction
from todo_project.logs.redaction import hide, redacted

TOKEN = mint()


MASKED = {
    f"refused {TOKEN}": "refused ***",
    f"{{'HTTP_AUTHORIZATION': 'Bearer {TOKEN}'}}": "{'HTTP_AUTHORIZATION': 'Bearer ***'}",
    "Authorization: Bearer opaque.abc==": "Authorization: Bearer ***",
    "Authorization: Basic dTpw": "Authorization: Basic ***",
    "Authorization: opaque": "Authorization: ***",
    "Cookie: sessionid=abc; csrftoken=def": "Cookie: ***",
    "Set-Cookie: sessionid=abc; Path=/admin/": "Set-Cookie: ***",
    "sessionid=abc": "sessionid=***",
    "better-auth.session_token=abc": "better-auth.session_token=***",
    "Authorization: Token abc": "Authorization: *** ***",
    f"id_{TOKEN}": "id_***",
    "GET /api/alice/tasks?a='abc' HTTP/1.1": "GET /api/alice/tasks?*** HTTP/1.1",
    "{'password': 'hunter2'}": "{'password': '***'}",
    "GET /api/alice/tasks?token=abc&x=y HTTP/1.1": "GET /api/alice/tasks?*** HTTP/1.1",
    "postgresql://todo:p@ss:word@host/db": "postgresql://todo:***@host/db",
    f"BETTER_AUTH_SECRET is {SECRET}!": "BETTER_AUTH_SECRET is ***!",
}
HARMLESS = [
    "Worker (pid:7) was sent SIGKILL! Perhaps out of memory?",
    "Database PostgreSQL 127.0.0.1/tasks answers; migrations are applied",
    "Listening at: http://127.0.0.1:8000 (7998)",
    "BETTER_AUTH_SECRET is accepted beside BETTER_AUTH_SECRETS",
    "AXES: Locking out {ip_address: '192.0.2.7'}.",
    "What is it? Nothing.",
]


def test_a_secret_is_masked_and_nothing_else() -> None:
    """Credentials and query strings must be masked, and harmless text must be kept."""
    assert {text: redacted(text) for text in MASKED} == MASKED
    assert [redacted(text) for text in HARMLESS] == HARMLESS


def test_a_configured_secret_is_masked_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A configured secret must be masked, unless it is so short that it may occur in any text."""
    monkeypatch.setattr(redaction, "_hidden", [])
    hide("correct-horse", "short", "")
    hide("correct-horse-battery")

    assert redacted("the correct-horse is in short supply") == "the *** is in short supply"
    assert redacted("not the correct-horse-battery") == "not the ***"


def test_the_configured_handler_masks_secrets(log: io.StringIO) -> None:
    """Secrets in the messages of any logger must be masked."""
    logging.getLogger("some.library").warning("sent %s", TOKEN)

    assert "sent ***" in log.getvalue()


def test_a_long_text_is_cut_between_words() -> None:
    """What follows must be counted; no part of a secret may be left that is not recognised."""
    long = f"{'word ' * 6_553}token={'x' * 100}"  # the limit is inside the value

    assert redacted(long) == f"{('word ' * 6_553).strip()} … 107 more characters"
    assert redacted("/" * 40_000) == " … 40000 more characters"
    assert redacted("x" * 32_768) == "x" * 32_768
