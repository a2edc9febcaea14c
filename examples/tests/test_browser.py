"""A page in a real browser, on an origin of its own, that signs in and works with tasks."""

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
    Person,
    stored_tasks,
)
from todo_project.tests.live_server import LiveServer, free_port


class Silent(SimpleHTTPRequestHandler):
    """Serves the page and logs nothing."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving_page(port: int) -> Iterator[None]:
    """Serve the page on a port of localhost."""
    handler = partial(Silent, directory=Path(__file__).parent)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield
        server.shutdown()


@dataclass(frozen=True)
class Seen:
    """What a page sees of an answer: status 0 and no header where the browser keeps it back."""

    status: int
    body: Any
    headers: dict[str, str]


class Page:
    """The page, open in a browser with cookies of its own."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self.tab = browser.new_context().new_page()
        self.tab.goto(f"{origin}/page.html")

    def send(self, method: str, url: str, token: str = "", data: object = None) -> Seen:
        """Let the page send a request, with a JSON body where one is given."""
        return Seen(**self.tab.evaluate("request => send(...request)", [method, url, token, data]))


@pytest.fixture(scope="module")
def page(browser: Browser, front_end: str) -> Iterator[Page]:
    """Open the page on the origin that both servers let in."""
    port = urlsplit(front_end).port
    assert port
    with serving_page(port):
        yield Page(browser, front_end)


@pytest.fixture(scope="module")
def strange_page(browser: Browser) -> Iterator[Page]:
    """Open the page on an origin that nobody has heard of."""
    port = free_port()
    with serving_page(port):
        yield Page(browser, f"http://localhost:{port}")


@pytest.fixture(scope="module")
def cut_off_api(deployment: Deployment) -> Iterator[LiveServer]:
    """Serve the API without a database."""
    closed = f"postgresql://todo@127.0.0.1:{free_port()}/todo"
    with deployment.serving(NEON_DATABASE_URL=closed) as live:
        yield live


def on_localhost(server: LiveServer | BetterAuth) -> str:
    """Name a server as a page does: to a browser, 127.0.0.1 is another site than localhost."""
    return f"http://localhost:{urlsplit(server.address).port}"


@pytest.fixture
def tasks(api: LiveServer, person: Person) -> str:
    """Name the URL of somebody's tasks."""
    return f"{on_localhost(api)}/api/{person.id}/tasks"


@pytest.fixture
def token(person: Person) -> str:
    """Hand out that person's token."""
    handed_out: str = person.browser.get("/api/auth/api-token").json()["token"]
    return handed_out


def test_a_page_signs_in_and_keeps_the_session(page: Page, better_auth: BetterAuth) -> None:
    """The front end's sign-in must work across origins, cookie included."""
    root = f"{on_localhost(better_auth)}/api/auth"
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    registered = page.send("POST", f"{root}/register", data={**account, "username": "ada"})
    logged_in = page.send("POST", f"{root}/login", data=account)
    fresh_token = page.send("GET", f"{root}/api-token")

    assert (registered.status, logged_in.status, fresh_token.status) == (200, 200, 200)
    assert logged_in.body["data"]["user"] == registered.body["data"]["user"]


def test_a_page_reads_why_it_cannot_sign_in(page: Page, better_auth: BetterAuth) -> None:
    """A page must be able to show what Better Auth says."""
    account = {"email": "nobody@example.com", "password": PASSWORD}
    refused = page.send("POST", f"{on_localhost(better_auth)}/api/auth/login", data=account)

    assert (refused.status, refused.body["error"]) == (401, "Invalid email or password.")


def test_a_page_makes_all_six_calls(page: Page, tasks: str, token: str) -> None:
    """Every method must pass its preflight (docs/contract.md, "Cross-origin")."""
    created = page.send("POST", tasks, token, {"title": "Buy milk"})
    task = f"{tasks}/{created.body['id']}"
    listed = page.send("GET", tasks, token)
    read = page.send("GET", task, token)
    changed = page.send("PUT", task, token, {"title": "Buy oat milk"})
    flipped = page.send("PATCH", f"{task}/complete", token)
    deleted = page.send("DELETE", task, token)

    statuses = [each.status for each in (created, listed, read, changed, flipped, deleted)]
    assert statuses == [201, 200, 200, 200, 200, 204]
    assert listed.body == [read.body] == [created.body]
    assert (flipped.body["title"], flipped.body["completed"]) == ("Buy oat milk", True)


def test_a_page_reads_a_401(page: Page, api: LiveServer) -> None:
    """A page must be able to tell its user to sign in (docs/contract.md, "Errors")."""
    url = f"{on_localhost(api)}/api/somebody/tasks"
    refused = [page.send("GET", url, token) for token in ("", "nonsense")]

    assert [(seen.status, seen.body["error"]) for seen in refused] == [(401, "Please sign in.")] * 2


def test_a_page_reads_a_403(page: Page, api: LiveServer, token: str) -> None:
    """A page must be able to say whose tasks these are not (docs/contract.md, "Errors")."""
    refused = page.send("GET", f"{on_localhost(api)}/api/somebody-else/tasks", token)

    assert (refused.status, refused.body["error"]) == (
        403,
        "These tasks belong to another account.",
    )


def test_a_page_reads_a_422(
    page: Page, api: LiveServer, person: Person, tasks: str, token: str
) -> None:
    """A page must be able to show what is wrong with a form (docs/contract.md, "Errors")."""
    refused = page.send("POST", tasks, token, {"title": " "})

    assert refused.status == 422
    assert refused.body["error"] == "Title: ensure this value has at least 1 characters"
    assert stored_tasks(api, person.id) == []


def test_a_page_reads_a_503_and_when_to_try_again(
    page: Page, cut_off_api: LiveServer, person: Person, token: str
) -> None:
    """An outage must not look like a fault of the network (docs/contract.md, "Cross-origin")."""
    refused = page.send("GET", f"{on_localhost(cut_off_api)}/api/{person.id}/tasks", token)

    assert (refused.status, refused.body["error"]) == (503, "Service temporarily unavailable")
    assert {"retry-after", "x-request-id"} <= refused.headers.keys()


def test_a_page_of_another_origin_reads_and_writes_nothing(
    strange_page: Page, api: LiveServer, person: Person, tasks: str, token: str
) -> None:
    """Any other origin must be kept out, by the preflight or without one (FR-019)."""
    seen = [
        strange_page.send("GET", tasks, token),
        strange_page.send("GET", tasks),
        strange_page.send("POST", tasks, token, {"title": "Buy milk"}),
    ]

    assert [(each.status, each.body) for each in seen] == [(0, "Failed to fetch")] * 3
    assert stored_tasks(api, person.id) == []
