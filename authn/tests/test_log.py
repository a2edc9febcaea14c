"""What the log says of a refusal, and what it never says (SC-009, FR-017)."""

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

ANOTHER_SECRET = "what-somebody-else-signs-with-01234567890"
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
# Would begin a line of its own, move a terminal's cursor, or read backwards
FORGERIES = [
    "eve\n2026-01-06 15:30:00,000 WARNING authn.permissions [request-2] forged",
    "eve\r\nforged",
    "eve\rforged",
    "eve\x1b[2J\x1b[1;1Hforged",
    "eve\x08\x08\x08forged",
    "eve\x85forged",
    "eve\u2028forged",
    "eve\u202edegrof",
    "eve\x0b\x0c\x1c\x1d\x1eforged",
    "zo\u00eb \U0001f600",
    "%s %d %(request_id)s {0}",
    'it\'s "quoted" \\n',
]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Collect what the configured handler writes, down to the level that tells the most."""
    root = logging.getLogger()
    stdout = next(handler for handler in root.handlers if handler.get_name() == "stdout")
    written = StringIO()
    monkeypatch.setattr(stdout, "stream", written)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)


def only_line(log: StringIO) -> dict[str, Any]:
    """Return the fields of the one line that was written, in printable ASCII."""
    [line] = log.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    fields: dict[str, Any] = json.loads(line)
    return fields


def get(header: str | None, path: str = "/api/alice/tasks") -> None:
    """Ask for tasks with this header."""
    headers = {} if header is None else {"Authorization": header}
    ApiClient().send("GET", path, **headers, **{"X-Request-ID": REQUEST_ID})


@pytest.mark.parametrize(("reason", "header"), REASONS.items(), ids=REASONS.keys())
def test_a_401_is_logged_with_its_reason_and_request_id(
    log: StringIO, reason: str, header: str | None
) -> None:
    """Each failure must be logged once, under a code that does not change (SC-009)."""
    get(header)

    line = only_line(log)
    assert (line["level"], line["request_id"]) == ("WARNING", REQUEST_ID)
    assert (line["status"], line["reason"], line["user_id"]) == (401, reason, None)


@pytest.mark.parametrize(
    ("setting", "reason"), [("ISSUER", "wrong_issuer"), ("AUDIENCE", "wrong_audience")]
)
def test_a_token_of_other_parties_is_logged_as_such(
    log: StringIO, settings: Settings, setting: str, reason: str
) -> None:
    """A wrong issuer or audience must be told apart in the log (SC-009)."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, setting: ISSUER}

    get(f"Bearer {mint()}")

    line = only_line(log)
    assert (line["status"], line["reason"], line["user_id"]) == (401, reason, None)


def test_a_403_is_logged_with_both_user_ids(log: StringIO) -> None:
    """Whose token it was and whose path must be logged: the token verified (SC-009)."""
    get(f"Bearer {mint('bob')}")

    line = only_line(log)
    assert (line["level"], line["status"], line["reason"]) == ("WARNING", 403, "user_mismatch")
    assert (line["user_id"], line["path_user_id"]) == ("bob", "alice")


def test_a_refusal_without_a_request_id_is_logged_with_the_answers(log: StringIO) -> None:
    """The id in the log must be the one that the client got, where it sent none."""
    response = ApiClient().send("GET", "/api/alice/tasks")

    assert only_line(log)["request_id"] == response["X-Request-ID"]


@pytest.mark.parametrize(
    "token",
    [
        forge({"sub": "markeruser", "x": "markerx", "exp": 2**33}, secret=ANOTHER_SECRET),
        forge({"sub": "markeruser", "x": "markerx"}, {"alg": "markeralg", "kid": "markerkid"}),
        f"{segment('markerheader')}.{segment('markerpayload')}.{segment('markersignature')}",
        "markeropaque.markeropaque",
        "marker\xe9 marker",
    ],
)
def test_nothing_of_a_token_that_did_not_verify_is_logged(log: StringIO, token: str) -> None:
    """What nobody signed must leave no trace in the log, encoded or decoded (FR-017)."""
    get(f"Bearer {token}")

    parts = [part for part in token.split(".") if part]
    assert "marker" not in log.getvalue()
    assert not [part for part in parts if part in log.getvalue()]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="another's path"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"nbf": 2**37}, id="not yet valid"),
        pytest.param({"sub": ["markeruser"]}, id="no user"),
    ],
)
def test_nothing_but_the_user_id_of_a_verified_token_is_logged(
    log: StringIO, changed: dict[str, object]
) -> None:
    """A cookie's payload holds a live session token: it must not be logged (FR-017)."""
    private = {"email": "marker@example.com", "session": {"token": "markersession"}}
    token = forge(claims(sub="bob", **private, jti="markerjti") | changed)
    get(f"Bearer {token}")

    assert "marker" not in log.getvalue()
    assert not [part for part in token.split(".") if part in log.getvalue()]


@pytest.mark.parametrize("user_id", FORGERIES, ids=ascii)
def test_a_tokens_user_id_cannot_forge_a_line(log: StringIO, user_id: str) -> None:
    """Whatever an id holds, a refusal must stay one line of printable ASCII."""
    get(f"Bearer {mint(user_id)}")

    line = only_line(log)
    assert (line["user_id"], line["path_user_id"]) == (user_id, "alice")


@pytest.mark.parametrize("user_id", [*FORGERIES, "eve\0forged"], ids=ascii)
def test_a_paths_user_id_cannot_forge_a_line(log: StringIO, user_id: str) -> None:
    """Whatever a path holds, a refusal must stay one line of printable ASCII."""
    get(f"Bearer {mint()}", f"/api/{quote(user_id)}/tasks")

    line = only_line(log)
    assert (line["user_id"], line["path_user_id"]) == ("alice", user_id)


@pytest.mark.parametrize("header", [*REASONS.values(), f"Bearer {mint('bob')}"])
def test_no_refusal_shows_the_secret(log: StringIO, header: str | None) -> None:
    """The secret must be in no log and in no answer (FR-017)."""
    headers = {} if header is None else {"Authorization": header}
    response = ApiClient().send("GET", "/api/alice/tasks", **headers)

    assert SECRET not in log.getvalue()
    assert SECRET not in f"{response.headers} {response.content}"


def test_a_fault_of_ours_shows_no_secret_and_no_token(log: StringIO, settings: Settings) -> None:
    """The trace of a fault must show neither the secret nor the token (FR-017, FR-016)."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": ("marker-too-short",)}
    token = mint()
    response = ApiClient(token=token).send("GET", "/api/alice/tasks")

    assert (response.status_code, response.json()["detail"]) == (500, "Internal server error")
    assert "Traceback" in log.getvalue()
    assert not [part for part in ("marker", *token.split(".")) if part in log.getvalue()]
