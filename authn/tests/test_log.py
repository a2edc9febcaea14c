"""The log lines of refused requests, and the secrets they never contain (SC-009, FR-017)."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django.fixtures import Settings

from authn.tests.forge import HEADER, claims, forge, segment
from conftest import SECRET, ApiClient, mint
from tasks.tests.tables import wrong_rows

ANOTHER_SECRET = "a-secret-that-the-api-does-not-accept-0123"
REQUEST_ID = "request-1"
ISSUER = "https://app.example.com"

REASONS: dict[str, str | None] = {
    "missing_token": None,
    "malformed": "Bearer",
    "wrong_signature": f"Bearer {mint(secret=ANOTHER_SECRET)}",
    "wrong_algorithm": f"Bearer {forge(claims(), {'alg': 'none'})}",
    "critical_header": f"Bearer {forge(claims(), {**HEADER, 'crit': ['b64'], 'b64': True})}",
    "bad_expiry": f"Bearer {mint(exp='1')}",
    "bad_iat": f"Bearer {mint(iat='1')}",
    "bad_nbf": f"Bearer {mint(nbf='1')}",
    "not_yet_valid": f"Bearer {mint(nbf=2**37)}",
    "expired": f"Bearer {mint(exp=1)}",
    "no_user": f"Bearer {mint(None)}",
}
# User ids that start a new line, move the cursor, reverse the text, or look like a format string
FORGERIES = [
    *("eve\n2026-01-06 WARNING [2] forged", "eve\r\nforged", "eve\x1b[2J\x1b[1;1Hforged"),
    *(f"eve{character}forged" for character in "\r\x08\x85\u2028\u202e\x0b\x0c\x1c\x1d\x1e\0"),
    *("zo\u00eb \U0001f600", "%s %d %(request_id)s {0}", 'it\'s "quoted" \\n'),
]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Capture the output of the configured handler at level DEBUG."""
    root = logging.getLogger()
    stdout = next(handler for handler in root.handlers if handler.get_name() == "stdout")
    stream = StringIO()
    monkeypatch.setattr(stdout, "stream", stream)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)


def only_line(log: StringIO) -> dict[str, Any]:
    """Return the fields of the only line; assert that it is printable ASCII."""
    [line] = log.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    fields: dict[str, Any] = json.loads(line)
    return fields


def get(header: str | None, path: str = "/api/alice/tasks") -> Any:
    """Request tasks with an ``Authorization`` header."""
    headers = {} if header is None else {"Authorization": header}
    return ApiClient().send("GET", path, **headers, **{"X-Request-ID": REQUEST_ID})


def test_a_401_is_logged_with_its_reason_and_request_id(log: StringIO, settings: Settings) -> None:
    """Each failure must be logged once, with a stable code (SC-009)."""
    for header in REASONS.values():
        get(header)
    for setting in ("ISSUER", "AUDIENCE"):
        settings.BETTER_AUTH = {**settings.BETTER_AUTH, "ISSUER": "", setting: ISSUER}
        get(f"Bearer {mint()}")

    lines = [only_line(StringIO(line)) for line in log.getvalue().splitlines()]
    assert [line["reason"] for line in lines] == [*REASONS, "wrong_issuer", "wrong_audience"]
    assert {
        (line["level"], line["request_id"], line["status"], line["user_id"]) for line in lines
    } == {("WARNING", REQUEST_ID, 401, None)}


def test_a_403_is_logged_with_both_user_ids(log: StringIO) -> None:
    """The token is verified, so its user and the path's user must both be logged (SC-009)."""
    get(f"Bearer {mint('bob')}")

    line = only_line(log)
    assert (line["level"], line["status"], line["reason"]) == ("WARNING", 403, "user_mismatch")
    assert (line["user_id"], line["path_user_id"]) == ("bob", "alice")


def test_a_refusal_without_a_request_id_is_logged_with_the_responses_id(log: StringIO) -> None:
    """If the client sends no id, the log must contain the response's ``X-Request-ID``."""
    response = ApiClient().send("GET", "/api/alice/tasks")

    assert only_line(log)["request_id"] == response["X-Request-ID"]


def test_only_the_user_id_of_a_verified_token_is_logged(log: StringIO) -> None:
    """Nothing else of a token may be logged: it may be secret or unverified (FR-017)."""
    private = {"email": "marker@example.com", "session": {"token": "markersession"}}
    verified = claims(sub="bob", **private, jti="markerjti")
    tokens = [
        forge({"sub": "markeruser", "x": "markerx", "exp": 2**33}, secret=ANOTHER_SECRET),
        forge({"sub": "markeruser", "x": "markerx"}, {"alg": "markeralg", "kid": "markerkid"}),
        f"{segment('markerheader')}.{segment('markerpayload')}.{segment('markersignature')}",
        *["markeropaque.markeropaque", "marker\xe9 marker"],
        *(forge(verified | more) for more in ({}, {"exp": 1}, {"nbf": 2**37}, {"sub": ["marker"]})),
    ]

    for token in tokens:
        get(f"Bearer {token}")

    parts = ["marker", *(part for token in tokens for part in token.split(".") if part)]
    assert log.getvalue().count("\n") == len(tokens)
    assert [part for part in parts if part in log.getvalue()] == []


def test_a_user_id_cannot_forge_a_log_line(log: StringIO) -> None:
    """A refusal must be logged as one line of printable ASCII, whatever the user ids."""

    def logged(header: str, path: str = "alice") -> tuple[str, str]:
        log.seek(0)
        log.truncate()
        get(header, f"/api/{quote(path)}/tasks")
        line = only_line(log)
        return line["user_id"], line["path_user_id"]

    def by_path(forgery: str) -> bool:
        return logged(f"Bearer {mint()}", forgery) == ("alice", forgery)

    def by_token(forgery: str) -> bool:
        return logged(f"Bearer {mint(forgery)}") == (forgery, "alice")

    assert wrong_rows(FORGERIES, by_path, True) == []
    no_nul = [forgery for forgery in FORGERIES if "\0" not in forgery]  # NUL makes an id invalid
    assert wrong_rows(no_nul, by_token, True) == []


def test_no_refusal_shows_the_secret(log: StringIO) -> None:
    """No log line and no response may contain the secret (FR-017)."""
    responses = [get(header) for header in (*REASONS.values(), f"Bearer {mint('bob')}")]

    texts = [f"{response.headers} {response.content}" for response in responses]
    assert [text for text in (log.getvalue(), *texts) if SECRET in text] == []


def test_a_traceback_shows_no_secret_and_no_token(log: StringIO, settings: Settings) -> None:
    """The log of an internal error must contain neither secret nor token (FR-016, FR-017)."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": ("marker-too-short",)}
    token = mint()
    client = ApiClient(token=token)
    client.raise_request_exception = False
    response = client.send("GET", "/api/alice/tasks")

    assert (response.status_code, response.json()["detail"]) == (500, "Internal server error")
    assert "Traceback" in log.getvalue()
    assert not [part for part in ("marker", *token.split(".")) if part in log.getvalue()]
