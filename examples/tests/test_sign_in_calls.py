"""The front end's three sign-in calls and the envelopes in the responses."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    User,
    list_tasks,
    running_better_auth,
)
from todo_project.tests.live_server import LiveServer


@pytest.fixture
def client(better_auth: BetterAuth) -> Iterator[httpx.Client]:
    """Open a client that is not signed in."""
    with better_auth.client() as client:
        yield client


def failure(status: int, error: str) -> dict[str, Any]:
    """Return the envelope of a failed call."""
    return {"success": False, "data": None, "error": error, "status": status}


def lifetime(token: str) -> int:
    """Return the seconds between a token's ``iat`` and its ``exp``."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return int(claims["exp"] - claims["iat"])


def registration(**changes: str) -> dict[str, str]:
    """Return a sign-up form for a new user."""
    email = f"{uuid.uuid4().hex}@example.com"
    return {"email": email, "username": "ada", "password": PASSWORD, **changes}


def test_register_returns_the_user_and_a_token(api: LiveServer, client: httpx.Client) -> None:
    """A new user must be able to use the API at once."""
    form = registration()
    response = client.post("/api/auth/register", json=form)
    data = response.json().pop("data")

    assert response.json() == {"success": True, "data": data, "error": None, "status": 200}
    assert data["user"] == {"id": data["user"]["id"], "email": form["email"], "username": "ada"}
    assert list_tasks(api, data["user"]["id"], data["token"]).status_code == 200


def test_login_returns_the_same_user_and_a_token(api: LiveServer, client: httpx.Client) -> None:
    """A returning user must find the same tasks."""
    form = registration()
    registered = client.post("/api/auth/register", json=form).json()
    response = client.post("/api/auth/login", json=form)
    data = response.json().pop("data")

    assert response.json() == {"success": True, "data": data, "error": None, "status": 200}
    assert data["user"] == registered["data"]["user"]
    assert list_tasks(api, data["user"]["id"], data["token"]).status_code == 200


def test_the_token_of_a_sign_in_lasts_a_day(client: httpx.Client) -> None:
    """The front end that makes these calls never renews its token."""
    form = registration()
    tokens = [client.post(f"/api/auth/{call}", json=form) for call in ("register", "login")]

    assert [lifetime(each.json()["data"]["token"]) for each in tokens] == [24 * 3600] * 2
    assert lifetime(client.get("/api/auth/api-token").json()["token"]) == 15 * 60


def test_one_variable_sets_every_lifetime(node: None, front_end: str) -> None:
    """``API_TOKEN_LIFETIME`` must apply to the recipes and to the sign-in calls."""
    with (
        running_better_auth(front_end, API_TOKEN_LIFETIME="2h") as process,
        process.serving().client() as client,
    ):
        answers = [
            client.post("/api/auth/register", json=registration()).json()["data"],
            *(client.get(f"/api/auth/{path}").json() for path in ("api-token", "token")),
        ]

    assert [lifetime(answer["token"]) for answer in answers] == [2 * 3600] * 3


def test_logout_ends_the_session(client: httpx.Client) -> None:
    """After signing out, a user must not get another token."""
    client.post("/api/auth/register", json=registration())
    response = client.post("/api/auth/logout")

    assert response.json() == {"success": True, "data": None, "error": None, "status": 200}
    assert client.get("/api/auth/api-token").json() == failure(401, "Please sign in.")


def test_logout_does_not_revoke_a_token(api: LiveServer, user: User) -> None:
    """A token must remain valid until it expires, because the API does not check sessions."""
    token = user.client.get("/api/auth/api-token").json()["token"]
    user.client.post("/api/auth/logout")

    assert list_tasks(api, user.id, token).status_code == 200


def rejected(client: httpx.Client, call: str, forms: dict[str, object]) -> dict[str, Any]:
    """Send forms, assert that they are rejected and sign no user in, and return the envelopes."""
    envelopes = {}
    for name, form in forms.items():
        response = client.post(f"/api/auth/{call}", json=form)
        assert response.status_code == response.json()["status"]
        assert client.get("/api/auth/api-token").status_code == 401, name
        envelopes[name] = response.json()
    return envelopes


def test_an_invalid_registration_returns_an_error(client: httpx.Client) -> None:
    """The response must have a sentence for the page to show, and must not sign a user in."""
    forms: dict[str, object] = {
        "empty": {},
        "not an object": [],
        "no name": registration(username=""),
        "no address": registration(email="invalid"),
        "short password": registration(password="short"),
        "long password": registration(password="x" * 129),
    }
    incomplete = failure(400, "Please give an e-mail address, a user name and a password.")

    assert rejected(client, "register", forms) == {
        "empty": incomplete,
        "not an object": incomplete,
        "no name": incomplete,
        "no address": failure(400, "Invalid email address."),
        "short password": failure(400, "Password too short."),
        "long password": failure(400, "Password too long."),
    }


def test_registering_twice_is_rejected(client: httpx.Client, user: User) -> None:
    """Registering an address again must fail and must not change the password."""
    form = registration(email=user.email, password="another password")
    response = client.post("/api/auth/register", json=form)

    assert response.json() == failure(422, "User already exists. Use another email.")
    assert client.post("/api/auth/login", json=form).status_code == 401


def test_an_invalid_login_returns_an_error(client: httpx.Client, user: User) -> None:
    """The response must not reveal whether an account exists."""
    forms: dict[str, object] = {
        "empty": {},
        "no password": {"email": "ada@example.com"},
        "a number": {"email": "ada@example.com", "password": 1},
        "unknown address": registration(),
        "a wrong password": {"email": user.email, "password": "a wrong one"},
    }
    incomplete = failure(400, "Please give your e-mail address and password.")
    wrong = failure(401, "Invalid email or password.")

    assert rejected(client, "login", forms) == {
        "empty": incomplete,
        "no password": incomplete,
        "a number": incomplete,
        "unknown address": wrong,
        "a wrong password": wrong,
    }


def test_an_untrusted_page_cannot_sign_a_user_out(user: User) -> None:
    """Another site must not be able to use the cookie (Better Auth's origin check)."""
    response = user.client.post("/api/auth/logout", headers={"Origin": "https://evil.example"})

    assert response.json() == failure(403, "Invalid origin.")
    assert user.client.get("/api/auth/api-token").status_code == 200
