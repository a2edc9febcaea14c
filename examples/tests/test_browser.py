"""A page in a real browser, on its own origin, that signs in and works with tasks."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from examples.tests.better_auth import (
    PASSWORD,
    BetterAuth,
    Deployment,
    User,
    stored_tasks,
)
from todo_project.tests.live_server import LiveServer, free_port


class SilentHandler(SimpleHTTPRequestHandler):
    """Serves the page without logging."""

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@contextmanager
def serving_page(port: int) -> Iterator[None]:
    """Serve the page on a port of localhost."""
    handler = partial(SilentHandler, directory=Path(__file__).parent)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield
        server.shutdown()


@dataclass(frozen=True)
class PageResponse:
    """A response as the page sees it: status 0 and no headers if the browser blocks it."""

    status: int
    body: Any
    headers: dict[str, str]


class Page:
    """The page, open in its own browser context."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self.tab = browser.new_context().new_page()
        self.tab.goto(f"{origin}/page.html")

    def send(self, method: str, url: str, token: str = "", data: object = None) -> PageResponse:
        """Send a request from the page, with a JSON body if ``data`` is given."""
        return PageResponse(
            **self.tab.evaluate("request => send(...request)", [method, url, token, data])
        )


@pytest.fixture(scope="module")
def page(browser: Browser, front_end: str) -> Iterator[Page]:
    """Open the page on the allowed origin."""
    port = urlsplit(front_end).port
    assert port
    with serving_page(port):
        yield Page(browser, front_end)


@pytest.fixture(scope="module")
def page_on_another_origin(browser: Browser) -> Iterator[Page]:
    """Open the page on an origin that is not allowed."""
    port = free_port()
    with serving_page(port):
        yield Page(browser, f"http://localhost:{port}")


@pytest.fixture(scope="module")
def api_without_database(deployment: Deployment) -> Iterator[LiveServer]:
    """Serve the API without a database."""
    closed = f"postgresql://todo@127.0.0.1:{free_port()}/todo"
    with deployment.serving(NEON_DATABASE_URL=closed) as live:
        yield live


def on_localhost(server: LiveServer | BetterAuth) -> str:
    """Return a server's URL on localhost: to a browser, 127.0.0.1 is another site."""
    return f"http://localhost:{urlsplit(server.address).port}"


@pytest.fixture
def tasks(api: LiveServer, user: User) -> str:
    """Return the URL of the user's tasks."""
    return f"{on_localhost(api)}/api/{user.id}/tasks"


@pytest.fixture
def token(user: User) -> str:
    """Return a token for the user."""
    token: str = user.client.get("/api/auth/api-token").json()["token"]
    return token


def test_a_page_signs_in_and_keeps_the_session(page: Page, better_auth: BetterAuth) -> None:
    """The front end's sign-in must work across origins, including the cookie."""
    root = f"{on_localhost(better_auth)}/api/auth"
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    registered = page.send("POST", f"{root}/register", data={**account, "username": "ada"})
    logged_in = page.send("POST", f"{root}/login", data=account)
    fresh_token = page.send("GET", f"{root}/api-token")

    assert (registered.status, logged_in.status, fresh_token.status) == (200, 200, 200)
    assert logged_in.body["data"]["user"] == registered.body["data"]["user"]


def test_a_page_reads_the_error_of_a_failed_sign_in(page: Page, better_auth: BetterAuth) -> None:
    """A page must be able to show Better Auth's error."""
    account = {"email": "unknown@example.com", "password": PASSWORD}
    rejected = page.send("POST", f"{on_localhost(better_auth)}/api/auth/login", data=account)

    assert (rejected.status, rejected.body["error"]) == (401, "Invalid email or password.")


def test_a_page_calls_all_six_endpoints(page: Page, tasks: str, token: str) -> None:
    """Every method must pass its preflight (docs/contract.md, "Cross-origin")."""
    created = page.send("POST", tasks, token, {"title": "Buy milk"})
    task = f"{tasks}/{created.body['id']}"
    listed = page.send("GET", tasks, token)
    read = page.send("GET", task, token)
    changed = page.send("PUT", task, token, {"title": "Buy oat milk"})
    flipped = page.send("PATCH", f"{task}/complete", token)
    deleted = page.send("DELETE", task, token)

    statuses = [response.status for response in (created, listed, read, changed, flipped, deleted)]
    assert statuses == [201, 200, 200, 200, 200, 204]
    assert listed.body == [read.body] == [created.body]
    assert (flipped.body["title"], flipped.body["completed"]) == ("Buy oat milk", True)


def test_a_page_reads_a_401(page: Page, api: LiveServer) -> None:
    """A page must be able to ask its user to sign in (docs/contract.md, "Errors")."""
    url = f"{on_localhost(api)}/api/other-user/tasks"
    rejected = [page.send("GET", url, token) for token in ("", "nonsense")]

    assert [(response.status, response.body["error"]) for response in rejected] == [
        (401, "Please sign in.")
    ] * 2


def test_the_browser_keeps_no_tasks_after_signing_out(page: Page, tasks: str, token: str) -> None:
    """Its cache must show neither another user nor nobody what a token has read."""
    page.send("POST", tasks, token, {"title": "Buy milk"})
    listed = page.send("GET", tasks, token)
    cached = "url => fetch(url, {cache: 'force-cache'}).then(response => response.status)"
    signed_out = page.tab.evaluate(cached, tasks)

    assert (listed.status, len(listed.body), signed_out) == (200, 1, 401)


def test_a_page_reads_a_403(page: Page, api: LiveServer, token: str) -> None:
    """A page must be able to say that the tasks are another user's (docs/contract.md, "Errors")."""
    rejected = page.send("GET", f"{on_localhost(api)}/api/other-user/tasks", token)

    assert (rejected.status, rejected.body["error"]) == (
        403,
        "These tasks belong to another account.",
    )


def test_a_page_reads_a_422(
    page: Page, api: LiveServer, user: User, tasks: str, token: str
) -> None:
    """A page must be able to show what is wrong with a form (docs/contract.md, "Errors")."""
    rejected = page.send("POST", tasks, token, {"title": " "})

    assert rejected.status == 422
    assert rejected.body["error"] == "Title: ensure this value has at least 1 characters"
    assert stored_tasks(api, user.id) == []


def test_a_page_reads_a_503_and_retry_after(
    page: Page, api_without_database: LiveServer, user: User, token: str
) -> None:
    """An outage must not look like a network error (docs/contract.md, "Cross-origin")."""
    rejected = page.send("GET", f"{on_localhost(api_without_database)}/api/{user.id}/tasks", token)

    assert (rejected.status, rejected.body["error"]) == (503, "Service temporarily unavailable")
    assert {"retry-after", "x-request-id"} <= rejected.headers.keys()


def test_a_page_of_another_origin_reads_and_writes_nothing(
    page_on_another_origin: Page, api: LiveServer, user: User, tasks: str, token: str
) -> None:
    """Other origins must not read or change anything, with or without a preflight (FR-019)."""
    responses = [
        page_on_another_origin.send("GET", tasks, token),
        page_on_another_origin.send("GET", tasks),
        page_on_another_origin.send("POST", tasks, token, {"title": "Buy milk"}),
    ]

    assert [(response.status, response.body) for response in responses] == [
        (0, "Failed to fetch")
    ] * 3
    assert stored_tasks(api, user.id) == []
