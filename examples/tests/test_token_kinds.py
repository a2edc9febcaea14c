"""Every kind of token that Better Auth issues, obtained over HTTP and sent to the API."""

import re
from collections.abc import Callable, Iterator

import jwt
import pytest

from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    BetterAuthProcess,
    User,
    create_task,
    list_tasks,
    running_better_auth,
    sign_up,
    stored_tasks,
)
from todo_project.tests.live_server import LiveServer

GetToken = Callable[[User], str]

INVALID = "Invalid or malformed token"
EXPIRED = "Token has expired"
NO_USER = "Token missing user identifier"


def hand_written(user: User) -> str:
    """Get a token from the hand-written route."""
    token: str = user.client.get("/api/auth/api-token").json()["token"]
    return token


def plugin(user: User) -> str:
    """Get a token from the ``jwt`` plugin."""
    token: str = user.client.get("/api/auth/token").json()["token"]
    return token


def logging_in(user: User) -> str:
    """Get the token in the response to the front end's sign-in call."""
    account = {"email": user.email, "password": PASSWORD}
    token: str = user.client.post("/api/auth/login", json=account).json()["data"]["token"]
    return token


def session_cookie(user: User) -> str:
    """Get the cookie that holds the session's data."""
    return user.cookies["better-auth.session_data"]


def session_token_cookie(user: User) -> str:
    """Get the cookie that holds the signed session token."""
    return user.cookies["better-auth.session_token"]


def session_token(user: User) -> str:
    """Get the bare session token."""
    return user.session_token


def bearer(user: User) -> str:
    """Get a token from the ``bearer`` plugin."""
    account = {"email": user.email, "password": PASSWORD}
    return user.client.post("/api/auth/sign-in/email", json=account).headers["set-auth-token"]


def last_link(user: User) -> str:
    """Get the token from the most recently mailed link."""
    token: str = user.client.get("/test/outbox").json()[-1]["token"]
    return token


def change_of_address_link(user: User) -> str:
    """Change an unverified address, and get the token from the link mailed to the new one."""
    change = {"newEmail": f"new-{user.email}"}
    assert user.client.post("/api/auth/change-email", json=change).is_success
    return last_link(user)


def change_confirmation_link(user: User) -> str:
    """Change a verified address, and get the token from the link mailed to the old one."""
    mails = user.client.get("/test/outbox").json()
    verification = {"token": next(mail["token"] for mail in mails if mail["to"] == user.email)}
    assert user.client.get("/api/auth/verify-email", params=verification).is_success
    return change_of_address_link(user)


def describe(token: str) -> str:
    """Describe a token: its number of segments, or a JWT's header and ``requestType``."""
    dots = token.count(".")
    if dots != 2:
        return f"{dots + 1} segments" if dots else "1 segment"
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    parts = (header["alg"], header.get("typ"), claims.get("requestType"))
    return " ".join(part for part in parts if part)


# All of these are signed with the secret.
ACCEPTED = [hand_written, plugin, logging_in, session_cookie]
# Maps a variant to its tokens, each with its description and the error. Variables that do not
# interact share a variant.
REJECTED: dict[str, dict[GetToken, tuple[str, str]]] = {
    "TEST_JWT_ALG=EdDSA TEST_COOKIE=jwks": {
        plugin: ("EdDSA", INVALID),
        session_cookie: ("EdDSA better-auth.session-cache+jwt", INVALID),
    },
    "TEST_JWT_ALG=ES256 TEST_COOKIE=compact": {
        plugin: ("ES256", INVALID),
        session_cookie: ("1 segment", INVALID),
    },
    "TEST_JWT_ALG=RS256 TEST_COOKIE=jwe": {
        plugin: ("RS256", INVALID),
        session_cookie: ("5 segments", INVALID),
    },
    "TEST_JWT_ALG=PS256 TEST_BEARER=1": {
        plugin: ("PS256", INVALID),
        bearer: ("2 segments", INVALID),
        session_token_cookie: ("2 segments", INVALID),
        session_token: ("1 segment", INVALID),
    },
    "TEST_JWT_ALG=ES512 TEST_OUTBOX=1": {
        plugin: ("ES512", INVALID),
        last_link: ("HS256", NO_USER),
        change_of_address_link: ("HS256 change-email-verification", NO_USER),
        change_confirmation_link: ("HS256 change-email-confirmation", NO_USER),
    },
}
EXPIRING = "TEST_COOKIE=jwt TEST_COOKIE_SECONDS=-60"
EXPIRED_TOKENS: dict[GetToken, tuple[str, str]] = {
    hand_written: ("HS256", EXPIRED),
    plugin: ("HS256 JWT", EXPIRED),
    logging_in: ("HS256", EXPIRED),
    session_cookie: ("HS256", EXPIRED),
}


@pytest.fixture
def expired_token_process(node: None, front_end: str) -> Iterator[BetterAuthProcess]:
    """Run a process that issues expired tokens."""
    with running_better_auth(front_end, API_TOKEN_LIFETIME="-1m") as process:
        yield process


def assert_rejected(
    api: LiveServer, better_auth: BetterAuth, expected: dict[GetToken, tuple[str, str]]
) -> None:
    """Assert that the API rejects these tokens with these errors and creates nothing."""
    with better_auth.client() as client:
        user = sign_up(client)
        outcomes = {
            get_token.__name__: outcome(api, user.id, get_token(user)) for get_token in expected
        }

    assert outcomes == {
        get_token.__name__: (kind, 401, detail) for get_token, (kind, detail) in expected.items()
    }
    assert stored_tasks(api, user.id) == []


def outcome(api: LiveServer, user_id: str, token: str) -> tuple[str, int, str]:
    """Send a create request with a token; return its description, the status and the error."""
    response = create_task(api, user_id, token)
    return describe(token), response.status_code, response.json().get("detail", "")


def test_a_valid_token_is_rejected_on_another_users_path(
    api: LiveServer, better_auth_process: BetterAuthProcess
) -> None:
    """A token must grant access to its own user's path only (FR-003, FR-005)."""
    better_auth = better_auth_process.serving("TEST_COOKIE=jwt")
    with better_auth.client() as client, better_auth.client() as other_client:
        user, other_user = sign_up(client), sign_up(other_client)
        outcomes = {
            get_token.__name__: outcome(api, other_user.id, get_token(user))[1:]
            for get_token in ACCEPTED
        }

    forbidden = (403, "Access forbidden: user_id mismatch")
    assert outcomes == {get_token.__name__: forbidden for get_token in ACCEPTED}
    assert stored_tasks(api, other_user.id) == []


@pytest.mark.parametrize(
    ("variant", "user_ids"),
    [
        pytest.param("TEST_COOKIE=jwt", r"[A-Za-z0-9]{32}", id="32 characters"),
        pytest.param(
            "TEST_COOKIE=jwt TEST_USER_ID=uuid",
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            id="uuid",
        ),
        pytest.param("TEST_COOKIE=jwt TEST_USER_ID=serial", r"[1-9][0-9]*", id="serial"),
    ],
)
def test_a_token_signed_with_the_secret_is_accepted(
    api: LiveServer, better_auth_process: BetterAuthProcess, variant: str, user_ids: str
) -> None:
    """A token that Better Auth signs with the secret must be accepted (FR-001, FR-002)."""
    with better_auth_process.serving(variant).client() as client:
        user = sign_up(client)
        tokens = {get_token.__name__: get_token(user) for get_token in ACCEPTED}
    outcomes = {}
    for name, token in tokens.items():
        created = create_task(api, user.id, token)
        is_listed = list_tasks(api, user.id, token).json()[-1:] == [created.json()]
        outcomes[name] = (
            describe(token)[:5],
            created.status_code,
            created.json().get("user_id"),
            is_listed,
        )

    assert re.fullmatch(user_ids, user.id)
    assert outcomes == dict.fromkeys(tokens, ("HS256", 201, user.id, True))


@pytest.mark.parametrize("variant", REJECTED)
def test_other_tokens_are_rejected(
    api: LiveServer, better_auth_process: BetterAuthProcess, variant: str
) -> None:
    """Better Auth's other tokens must be rejected (docs/contract.md, "Authentication")."""
    assert_rejected(api, better_auth_process.serving(variant), REJECTED[variant])


def test_an_expired_token_is_rejected(
    api: LiveServer, expired_token_process: BetterAuthProcess
) -> None:
    """An expired token must be rejected (docs/contract.md, "Authentication")."""
    assert_rejected(api, expired_token_process.serving(EXPIRING), EXPIRED_TOKENS)
