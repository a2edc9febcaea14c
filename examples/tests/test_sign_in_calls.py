"""The three calls that the front end makes for signing in, and the envelopes it gets."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from examples.tests.better_auth import PASSWORD, BetterAuth, Person, list_tasks
from todo_project.tests.live_server import LiveServer


@pytest.fixture
def browser(better_auth: BetterAuth) -> Iterator[httpx.Client]:
    """Open a browser in which nobody is signed in."""
    with better_auth.visitor() as opened:
        yield opened


def failure(status: int, error: str) -> dict[str, Any]:
    """Write the envelope of a failure."""
    return {"success": False, "data": None, "error": error, "status": status}


def registration(**changes: str) -> dict[str, str]:
    """Fill the sign-up form in, for somebody new."""
    email = f"{uuid.uuid4().hex}@example.com"
    return {"email": email, "username": "ada", "password": PASSWORD, **changes}


def test_registering_answers_the_user_and_a_token_for_the_api(
    api: LiveServer, browser: httpx.Client
) -> None:
    """A new user must be able to use the API at once."""
    form = registration()
    answer = browser.post("/api/auth/register", json=form)
    data = answer.json().pop("data")

    assert answer.json() == {"success": True, "data": data, "error": None, "status": 200}
    assert data["user"] == {"id": data["user"]["id"], "email": form["email"], "username": "ada"}
    assert list_tasks(api, data["user"]["id"], data["token"]).status_code == 200


def test_logging_in_answers_the_same_user_and_a_token_for_the_api(
    api: LiveServer, browser: httpx.Client
) -> None:
    """Who signs in must find their own tasks again."""
    form = registration()
    registered = browser.post("/api/auth/register", json=form).json()
    answer = browser.post("/api/auth/login", json=form)
    data = answer.json().pop("data")

    assert answer.json() == {"success": True, "data": data, "error": None, "status": 200}
    assert data["user"] == registered["data"]["user"]
    assert list_tasks(api, data["user"]["id"], data["token"]).status_code == 200


def test_logging_out_ends_the_session(browser: httpx.Client) -> None:
    """Who signed out must get no more tokens."""
    browser.post("/api/auth/register", json=registration())
    answer = browser.post("/api/auth/logout")

    assert answer.json() == {"success": True, "data": None, "error": None, "status": 200}
    assert browser.get("/api/auth/api-token").json() == failure(401, "Please sign in.")


def test_logging_out_does_not_end_a_token(api: LiveServer, person: Person) -> None:
    """A token must live until it expires: the API asks nobody whether it still should."""
    token = person.browser.get("/api/auth/api-token").json()["token"]
    person.browser.post("/api/auth/logout")

    assert list_tasks(api, person.id, token).status_code == 200


def refused(browser: httpx.Client, call: str, forms: dict[str, object]) -> dict[str, Any]:
    """Send forms that must be refused and sign nobody in; return the envelopes."""
    seen = {}
    for name, form in forms.items():
        answer = browser.post(f"/api/auth/{call}", json=form)
        assert answer.status_code == answer.json()["status"]
        assert browser.get("/api/auth/api-token").status_code == 401, name
        seen[name] = answer.json()
    return seen


def test_a_registration_that_cannot_be_says_why(browser: httpx.Client) -> None:
    """The front end must have a sentence to show, and nobody may be signed in."""
    forms: dict[str, object] = {
        "empty": {},
        "not an object": [],
        "no name": registration(username=""),
        "no address": registration(email="nobody"),
        "short password": registration(password="short"),
        "long password": registration(password="x" * 129),
    }
    incomplete = failure(400, "Please give an e-mail address, a user name and a password.")

    assert refused(browser, "register", forms) == {
        "empty": incomplete,
        "not an object": incomplete,
        "no name": incomplete,
        "no address": failure(400, "Invalid email address."),
        "short password": failure(400, "Password too short."),
        "long password": failure(400, "Password too long."),
    }


def test_registering_twice_is_refused(browser: httpx.Client, person: Person) -> None:
    """An address must belong to one account, whose password stays as it is."""
    form = registration(email=person.email, password="another password")
    answer = browser.post("/api/auth/register", json=form)

    assert answer.json() == failure(422, "User already exists. Use another email.")
    assert browser.post("/api/auth/login", json=form).status_code == 401


def test_a_login_that_cannot_be_says_why(browser: httpx.Client, person: Person) -> None:
    """The front end must have a sentence to show, and nobody learns who has an account."""
    forms: dict[str, object] = {
        "empty": {},
        "no password": {"email": "ada@example.com"},
        "a number": {"email": "ada@example.com", "password": 1},
        "nobody": registration(),
        "a wrong password": {"email": person.email, "password": "a wrong one"},
    }
    incomplete = failure(400, "Please give your e-mail address and password.")
    wrong = failure(401, "Invalid email or password.")

    assert refused(browser, "login", forms) == {
        "empty": incomplete,
        "no password": incomplete,
        "a number": incomplete,
        "nobody": wrong,
        "a wrong password": wrong,
    }


def test_a_page_that_is_not_trusted_cannot_sign_out_somebody(person: Person) -> None:
    """Another site must not be able to use the cookie (Better Auth's check of the origin)."""
    answer = person.browser.post("/api/auth/logout", headers={"Origin": "https://evil.example"})

    assert answer.json() == failure(403, "Invalid origin.")
    assert person.browser.get("/api/auth/api-token").status_code == 200
