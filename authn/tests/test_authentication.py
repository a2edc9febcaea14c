"""Authentication through the whole API (docs/contract.md, "Authentication")."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from authn.tests.forge import claims, forge, segment
from conftest import SECRET, ApiClient, mint
from tasks.tests.endpoints import ENDPOINTS, Endpoint
from tasks.tests.factories import TaskFactory, rows

OLD_SECRET = "the-secret-before-the-rotation-0123456789"

MISSING = ("Missing authorization token", "Please sign in.", "Bearer")
INVALID = ("Invalid or malformed token", "Please sign in.", 'Bearer error="invalid_token"')
EXPIRED = (
    "Token has expired",
    "Your session has expired. Please sign in again.",
    'Bearer error="invalid_token"',
)
NO_USER = ("Token missing user identifier", "Please sign in.", 'Bearer error="invalid_token"')

# Maps a situation to a header and the expected detail, error and challenge.
REFUSALS: dict[str, tuple[str | None, tuple[str, str, str]]] = {
    "no header": (None, MISSING),
    "empty header": ("", MISSING),
    "space as header": (" ", MISSING),
    "Basic": ("Basic YWxpY2U6c2VjcmV0", MISSING),
    "Token": (f"Token {mint()}", MISSING),
    "token without a scheme": (mint(), MISSING),
    "a scheme with the same prefix": (f"Bearers {mint()}", MISSING),
    "a scheme that is not ASCII": (f"B\xebarer {mint()}", MISSING),
    "Bearer in quotes": (f'"Bearer" {mint()}', MISSING),
    "Bearer alone": ("Bearer", INVALID),
    "bearer alone": ("bearer", INVALID),
    "Bearer and a space": ("Bearer ", INVALID),
    "Bearer and spaces": ("Bearer    ", INVALID),
    "Bearer and a tab": (f"Bearer \t{mint()}", INVALID),
    "two words": (f"Bearer {mint()} {mint()}", INVALID),
    "Bearer twice": (f"Bearer Bearer {mint()}", INVALID),
    "two headers in one": (f"Bearer {mint()}, Bearer {mint()}", INVALID),
    "a word": ("Bearer secret", INVALID),
    "undefined": ("Bearer undefined", INVALID),
    "a token in quotes": (f'Bearer "{mint()}"', INVALID),
    "a token that is not ASCII": ("Bearer t\xf6k\xe9n\xff", INVALID),
    "control characters": ("Bearer \x80\x1b\x01", INVALID),
    "wrong signature": (f"Bearer {mint(secret=OLD_SECRET)}", INVALID),
    "expired, wrong signature": (f"Bearer {mint(secret=OLD_SECRET, exp=1)}", INVALID),
    "algorithm none": (f"Bearer {segment({'alg': 'none'})}.{segment(claims())}.", INVALID),
    "no algorithm": (f"Bearer {forge(claims(), {})}", INVALID),
    "no expiry": (f"Bearer {mint(exp=None)}", INVALID),
    "not yet valid": (f"Bearer {mint(nbf=2**37)}", INVALID),
    "opaque session token": ("Bearer x7Kd0fQz9LmN3pRt.wYbC5eGhJ2sUa1i%3D", INVALID),
    "expired": (f"Bearer {mint(exp=1)}", EXPIRED),
    "expired, no user": (f"Bearer {mint(None, exp=1)}", EXPIRED),
    "no user": (f"Bearer {mint(None)}", NO_USER),
    "empty user": (f"Bearer {mint('')}", NO_USER),
    "e-mail link": (f"Bearer {mint(None, email='a@example.com', userId='alice')}", NO_USER),
}

TASKS = "/api/alice/tasks"


def send(method: str, path: str, header: str | None, body: Any = None) -> Any:
    """Send a request with exactly this ``Authorization`` header."""
    headers = {} if header is None else {"Authorization": header}
    return ApiClient().send(method, path, body, **headers)


@pytest.mark.django_db
def test_every_endpoint_refuses_a_bad_token_and_changes_nothing() -> None:
    """A refusal must have a detail and a challenge, and run no query (FR-004, SC-003, RFC 6750)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    with CaptureQueriesContext(connection) as queries:
        responses = {
            situation: {
                refusal(send(each.method, path(each, task.id), header, each.body))
                for each in ENDPOINTS
            }
            for situation, (header, _) in REFUSALS.items()
        }

    assert responses == {name: {expected(*texts)} for name, (_, texts) in REFUSALS.items()}
    assert (len(queries), rows()) == (0, before)


def path(endpoint: Endpoint, task_id: int) -> str:
    """Return the endpoint's path with alice's id and a task id."""
    return endpoint.path.format(user="alice", task=task_id)


def refusal(response: Any) -> tuple[int, str, str]:
    """Return the status, the body and the challenge of a response."""
    body = json.loads(response.content or "null")
    return response.status_code, str(body), response.get("WWW-Authenticate", "")


def expected(detail: str, error: str, challenge: str) -> tuple[int, str, str]:
    """Return the expected value of ``refusal()``."""
    return 401, str({"detail": detail, "error": error}), challenge


@settings(max_examples=100)
@given(
    header=st.text(st.characters(max_codepoint=255))
    | st.text(st.characters(max_codepoint=255)).map("Bearer {}".format)
)
def test_an_arbitrary_header_gets_a_401(header: str) -> None:
    """Any header without a signed token must get a 401 (SC-003)."""
    assert send("GET", TASKS, header).status_code == 401


@pytest.mark.django_db
def test_the_scheme_is_case_insensitive() -> None:
    """``Bearer`` must be accepted in any case (RFC 9110 §11.1), and with two spaces after it."""
    schemes = ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "]

    statuses = {name: send("GET", TASKS, f"{name} {mint()}").status_code for name in schemes}

    assert statuses == dict.fromkeys(schemes, 200)


@pytest.mark.django_db
def test_each_user_claim_grants_access_to_the_users_path() -> None:
    """``sub``, ``user_id`` and ``user.id`` must be accepted as strings or integers (FR-002)."""
    task = TaskFactory.create(user_id="7")
    user_claims: list[dict[str, Any]] = [
        {"sub": "7"},
        {"sub": 7},
        {"user_id": 7},
        {"user": {"id": "7"}},
    ]

    tokens = [forge(claims(**{"sub": None, **each})) for each in user_claims]
    responses = [send("GET", "/api/7/tasks", f"Bearer {token}") for token in tokens]

    assert [[each["id"] for each in response.json()] for response in responses] == [[task.id]] * 4


def test_a_token_outside_the_header_is_ignored() -> None:
    """URLs get logged (RFC 6750 §5.3) and cookies allow CSRF, so tokens there must be ignored."""
    client = ApiClient()
    for name in ("better-auth.session_data", "better-auth.session_token", "token"):
        client.cookies[name] = mint()
    query = "&".join(f"{name}={mint()}" for name in ("access_token", "token", "jwt"))

    response = client.send("GET", f"{TASKS}?{query}&authorization=Bearer%20{mint()}")

    assert refusal(response) == expected(*MISSING)


def test_the_token_is_checked_first() -> None:
    """A 401 must take precedence over 403, 404, 405, 413 and 422."""
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/api/bob/tasks", None),
        ("OPTIONS", TASKS, None),
        ("PATCH", TASKS, None),
        ("POST", TASKS, "x" * 70_000),
        ("POST", TASKS, {"title": ""}),
        ("GET", f"{TASKS}/abc", None),
    ]

    responses = [send(method, path, "Bearer x", body) for method, path, body in requests]

    assert [response.status_code for response in responses] == [401] * 6


def test_a_head_request_is_refused_without_a_body() -> None:
    """``HEAD`` must be refused like ``GET``."""
    response = send("HEAD", TASKS, None)

    assert (response.status_code, response.content) == (401, b"")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
def test_authentication_runs_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Authentication must not query the database, because users are not stored."""
    with django_assert_num_queries(0):
        assert ApiClient("alice").send("OPTIONS", TASKS).status_code == 405


@pytest.mark.django_db
def test_a_secret_can_be_replaced_without_signing_users_out(settings: Settings) -> None:
    """Every configured secret must be accepted, and a removed one refused."""
    old = ApiClient(token=mint(secret=OLD_SECRET))
    statuses = []

    for secrets in ((SECRET,), (SECRET, OLD_SECRET), (SECRET,)):
        settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": secrets}
        statuses.append(old.send("GET", TASKS).status_code)
        statuses.append(ApiClient("alice").send("GET", TASKS).status_code)

    assert statuses == [401, 200, 200, 200, 401, 200]
