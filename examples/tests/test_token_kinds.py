"""Every kind of token that Better Auth makes, obtained from it over HTTP and sent to the API."""

import re
from collections.abc import Callable, Iterator

import jwt
import pytest

from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    BetterAuths,
    Person,
    create_task,
    list_tasks,
    running_better_auths,
    sign_up,
    stored_tasks,
)
from todo_project.tests.live_server import LiveServer

Obtain = Callable[[Person], str]

INVALID = "Invalid or malformed token"
EXPIRED = "Token has expired"
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
    mails = person.browser.get("/test/outbox").json()
    verification = {"token": next(mail["token"] for mail in mails if mail["to"] == person.email)}
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


# Each of them is signed with the secret.
GOOD = [hand_written, plugin, logging_in, session_cookie]
# What is no token for the API: the variant, what makes it there, how it looks, why it is refused.
# Variables that do not touch each other share a variant.
REFUSED: dict[str, dict[Obtain, tuple[str, str]]] = {
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
EXPIRED_TOKENS: dict[Obtain, tuple[str, str]] = {
    hand_written: ("HS256", EXPIRED),
    plugin: ("HS256 JWT", EXPIRED),
    logging_in: ("HS256", EXPIRED),
    session_cookie: ("HS256", EXPIRED),
}


@pytest.fixture
def expiring_auths(node: None, front_end: str) -> Iterator[BetterAuths]:
    """Run a process whose tokens have expired already."""
    with running_better_auths(front_end, API_TOKEN_LIFETIME="-1m") as running:
        yield running


def assert_refused(
    api: LiveServer, better_auth: BetterAuth, expected: dict[Obtain, tuple[str, str]]
) -> None:
    """See that somebody's tokens look like this, are refused with these details, and do nothing."""
    with better_auth.visitor() as browser:
        person = sign_up(browser)
        seen = {obtain.__name__: refusal(api, person.id, obtain(person)) for obtain in expected}

    assert seen == {
        obtain.__name__: (kind, 401, detail) for obtain, (kind, detail) in expected.items()
    }
    assert stored_tasks(api, person.id) == []


def refusal(api: LiveServer, user_id: str, token: str) -> tuple[str, int, str]:
    """Say how a token looks, and how the API answers it."""
    answer = create_task(api, user_id, token)
    return looks(token), answer.status_code, answer.json().get("detail", "")


def test_a_good_token_does_not_open_another_users_tasks(
    api: LiveServer, better_auths: BetterAuths
) -> None:
    """A token must open the path of its own user only (FR-003, FR-005)."""
    better_auth = better_auths.serving("TEST_COOKIE=jwt")
    with better_auth.visitor() as browser, better_auth.visitor() as others:
        person, other = sign_up(browser), sign_up(others)
        seen = {obtain.__name__: refusal(api, other.id, obtain(person))[1:] for obtain in GOOD}

    forbidden = (403, "Access forbidden: user_id mismatch")
    assert seen == {obtain.__name__: forbidden for obtain in GOOD}
    assert stored_tasks(api, other.id) == []


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
def test_a_token_signed_with_the_secret_opens_its_users_tasks(
    api: LiveServer, better_auths: BetterAuths, variant: str, user_ids: str
) -> None:
    """What Better Auth signs with the secret, for a user, must do (FR-001, FR-002)."""
    with better_auths.serving(variant).visitor() as browser:
        person = sign_up(browser)
        tokens = {obtain.__name__: obtain(person) for obtain in GOOD}
    seen = {}
    for name, token in tokens.items():
        created = create_task(api, person.id, token)
        is_listed = list_tasks(api, person.id, token).json()[-1:] == [created.json()]
        seen[name] = (
            looks(token)[:5],
            created.status_code,
            created.json().get("user_id"),
            is_listed,
        )

    assert re.fullmatch(user_ids, person.id)
    assert seen == dict.fromkeys(tokens, ("HS256", 201, person.id, True))


@pytest.mark.parametrize("variant", REFUSED)
def test_what_is_no_token_for_the_api_opens_nothing(
    api: LiveServer, better_auths: BetterAuths, variant: str
) -> None:
    """Better Auth's other tokens must be refused, and say why (contract.md "Who may come in")."""
    assert_refused(api, better_auths.serving(variant), REFUSED[variant])


def test_a_token_that_has_expired_opens_nothing(
    api: LiveServer, expiring_auths: BetterAuths
) -> None:
    """An expired token must be refused, and say why (contract.md "Who may come in")."""
    assert_refused(api, expiring_auths.serving(EXPIRING), EXPIRED_TOKENS)
