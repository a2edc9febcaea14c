"""Every kind of token that Better Auth makes, obtained from it over HTTP and sent to the API."""

import re
from collections.abc import Callable

import jwt
import pytest

from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    Person,
    create_task,
    list_tasks,
    sign_up,
    stored_tasks,
)
from todo_project.tests.live_server import LiveServer

Obtain = Callable[[Person], str]

INVALID = "Invalid or malformed token"
EXPIRED = "Token has expired"
EXPIRING = "API_TOKEN_LIFETIME=-1m TEST_COOKIE=jwt TEST_COOKIE_SECONDS=-60"
SESSION_JWT = "EdDSA better-auth.session-cache+jwt"
CHANGE = "HS256 change-email-verification"
CONFIRM = "HS256 change-email-confirmation"
NO_USER = "Token missing user identifier"


def hand_written(person: Person) -> str:
    """Take the token of the hand-written route."""
    token: str = person.browser.get("/api/auth/api-token").json()["token"]
    return token


def plugin(person: Person) -> str:
    """Take the token of the ``jwt`` plugin."""
    token: str = person.browser.get("/api/auth/token").json()["token"]
    return token


def logging_in(person: Person) -> str:
    """Take the token that the front end's sign-in call answers with."""
    account = {"email": person.email, "password": PASSWORD}
    token: str = person.browser.post("/api/auth/login", json=account).json()["data"]["token"]
    return token


def session_cookie(person: Person) -> str:
    """Take the cookie that holds the session's data."""
    return person.cookies["better-auth.session_data"]


def session_token_cookie(person: Person) -> str:
    """Take the cookie that holds the session's token and a signature."""
    return person.cookies["better-auth.session_token"]


def session_token(person: Person) -> str:
    """Take the bare token of the session."""
    return person.session_token


def bearer(person: Person) -> str:
    """Take the token of the ``bearer`` plugin."""
    account = {"email": person.email, "password": PASSWORD}
    return person.browser.post("/api/auth/sign-in/email", json=account).headers["set-auth-token"]


def last_link(person: Person) -> str:
    """Take the token of the link that was mailed last."""
    token: str = person.browser.get("/test/outbox").json()[-1]["token"]
    return token


def change_of_address_link(person: Person) -> str:
    """Ask for another address; the new one, not verified yet, gets a link."""
    change = {"newEmail": f"new-{person.email}"}
    assert person.browser.post("/api/auth/change-email", json=change).is_success
    return last_link(person)


def change_confirmation_link(person: Person) -> str:
    """Ask for another address when the old one is verified; the old one gets a link."""
    verification = {"token": last_link(person)}
    assert person.browser.get("/api/auth/verify-email", params=verification).is_success
    return change_of_address_link(person)


def looks(token: str) -> str:
    """Say what a token shows of itself: its segments, or a JWT's header and what a link is for."""
    dots = token.count(".")
    if dots != 2:
        return f"{dots + 1} segments" if dots else "1 segment"
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    shown = (header["alg"], header.get("typ"), claims.get("requestType"))
    return " ".join(word for word in shown if word)


@pytest.mark.parametrize("better_auth", ["TEST_COOKIE=jwt"], indirect=True, scope="module")
@pytest.mark.parametrize("obtain", [hand_written, plugin, logging_in, session_cookie])
def test_a_good_token_does_not_open_another_users_tasks(
    api: LiveServer, better_auth: BetterAuth, person: Person, obtain: Obtain
) -> None:
    """A token must open the path of its own user only (FR-003, FR-005)."""
    with better_auth.visitor() as browser:
        other = sign_up(browser)

    refused = create_task(api, other.id, obtain(person))

    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "Access forbidden: user_id mismatch",
    )
    assert stored_tasks(api, other.id) == []


@pytest.mark.parametrize("obtain", [hand_written, plugin, logging_in, session_cookie])
@pytest.mark.parametrize(
    ("better_auth", "user_ids"),
    [
        pytest.param("TEST_COOKIE=jwt", r"[A-Za-z0-9]{32}", id="32 characters"),
        pytest.param(
            "TEST_COOKIE=jwt TEST_USER_ID=uuid",
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            id="uuid",
        ),
        pytest.param("TEST_COOKIE=jwt TEST_USER_ID=serial", r"[1-9][0-9]*", id="serial"),
    ],
    indirect=["better_auth"],
    scope="module",
)
def test_a_token_signed_with_the_secret_opens_its_users_tasks(
    api: LiveServer, person: Person, user_ids: str, obtain: Obtain
) -> None:
    """What Better Auth signs with the secret, for a user, must do (FR-001, FR-002)."""
    token = obtain(person)
    created = create_task(api, person.id, token)

    assert looks(token).startswith("HS256")
    assert re.fullmatch(user_ids, person.id)
    assert (created.status_code, created.json().get("user_id")) == (201, person.id)
    assert list_tasks(api, person.id, token).json()[-1] == created.json()


@pytest.mark.parametrize(
    ("better_auth", "obtain", "kind", "detail"),
    [
        # Variables that do not touch each other share a server, which takes its time to start.
        ("TEST_JWT_ALG=EdDSA TEST_COOKIE=jwks", plugin, "EdDSA", INVALID),
        ("TEST_JWT_ALG=EdDSA TEST_COOKIE=jwks", session_cookie, SESSION_JWT, INVALID),
        ("TEST_JWT_ALG=ES256 TEST_COOKIE=compact", plugin, "ES256", INVALID),
        ("TEST_JWT_ALG=ES256 TEST_COOKIE=compact", session_cookie, "1 segment", INVALID),
        ("TEST_JWT_ALG=RS256 TEST_COOKIE=jwe", plugin, "RS256", INVALID),
        ("TEST_JWT_ALG=RS256 TEST_COOKIE=jwe", session_cookie, "5 segments", INVALID),
        ("TEST_JWT_ALG=PS256 TEST_BEARER=1", plugin, "PS256", INVALID),
        ("TEST_JWT_ALG=PS256 TEST_BEARER=1", bearer, "2 segments", INVALID),
        ("TEST_JWT_ALG=PS256 TEST_BEARER=1", session_token_cookie, "2 segments", INVALID),
        ("TEST_JWT_ALG=PS256 TEST_BEARER=1", session_token, "1 segment", INVALID),
        ("TEST_JWT_ALG=ES512 TEST_OUTBOX=1", plugin, "ES512", INVALID),
        ("TEST_JWT_ALG=ES512 TEST_OUTBOX=1", last_link, "HS256", NO_USER),
        ("TEST_JWT_ALG=ES512 TEST_OUTBOX=1", change_of_address_link, CHANGE, NO_USER),
        ("TEST_JWT_ALG=ES512 TEST_OUTBOX=1", change_confirmation_link, CONFIRM, NO_USER),
        ("BETTER_AUTH_SECRET=another-one-of-32-characters-or-more", plugin, "HS256 JWT", INVALID),
        (EXPIRING, hand_written, "HS256", EXPIRED),
        (EXPIRING, plugin, "HS256 JWT", EXPIRED),
        (EXPIRING, logging_in, "HS256", EXPIRED),
        (EXPIRING, session_cookie, "HS256", EXPIRED),
    ],
    indirect=["better_auth"],
    scope="module",
)
def test_what_is_no_token_for_the_api_opens_nothing(
    api: LiveServer, person: Person, obtain: Obtain, kind: str, detail: str
) -> None:
    """Better Auth's other tokens must be refused, and say why (contract.md "Who may come in")."""
    token = obtain(person)
    refused = create_task(api, person.id, token)

    assert looks(token) == kind
    assert (refused.status_code, refused.json()["detail"]) == (401, detail)
    assert stored_tasks(api, person.id) == []
