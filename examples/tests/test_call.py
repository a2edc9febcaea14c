"""How a page calls the API, when its token has expired and when its session has ended."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from conftest import mint
from examples.demo import EXAMPLE
from examples.tests.better_auth import BetterAuth, Person, stored_tasks
from examples.tests.gateway import running_gateway
from todo_project.tests.live_server import LiveServer

CALL = """async ([source, token, path, init]) => {
    const { caller } = await import("data:text/javascript," + encodeURIComponent(source));
    return (await caller("", token)(path, init)).status;
}"""
FRESH_TOKEN = "/api/auth/api-token"
POST = {
    "method": "POST",
    "headers": {"Content-Type": "application/json"},
    "body": '{"title": "Buy milk"}',
}


@pytest.fixture(scope="module")
def source(node: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compile the example, types checked, and give the page's part of it."""
    folder: Path = tmp_path_factory.mktemp("compiled")
    compiled = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "--noEmit", "false", "--outDir", str(folder)],  # noqa: S607
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stdout
    return (folder / "call.js").read_text()


class Tab:
    """A page on the one origin of Better Auth and the API, with somebody's cookies."""

    def __init__(self, browser: Browser, origin: str, cookies: dict[str, str]) -> None:
        context = browser.new_context()
        context.add_cookies(
            [{"name": name, "value": value, "url": origin} for name, value in cookies.items()]
        )
        self.asked: list[str] = []
        self.page = context.new_page()
        self.page.goto(f"{origin}/health")
        self.page.on("request", lambda request: self.asked.append(urlsplit(request.url).path))

    def call(self, source: str, person: Person, token: str) -> int:
        """Create a task with this token, as the example does, and return the status."""
        status: int = self.page.evaluate(CALL, [source, token, f"/api/{person.id}/tasks", POST])
        return status


@pytest.fixture(scope="module")
def origin(better_auth: BetterAuth, api: LiveServer) -> Iterator[str]:
    """Put the gateway in front of both."""
    auth_port = urlsplit(better_auth.address).port
    assert auth_port
    with running_gateway(auth_port, api.port) as client:
        yield str(client.base_url).rstrip("/")


def test_a_page_goes_on_with_a_new_token_when_its_own_has_expired(
    browser: Browser, source: str, origin: str, api: LiveServer, person: Person
) -> None:
    """The request must be sent once more, whole, and nobody be asked to sign in."""
    tab = Tab(browser, origin, person.cookies)

    assert tab.call(source, person, mint(person.id, exp=1)) == 201
    assert [path for path in tab.asked if path == FRESH_TOKEN] == [FRESH_TOKEN]
    assert len(stored_tasks(api, person.id)) == 1


def test_a_page_asks_for_no_new_token_while_its_own_is_good(
    browser: Browser, source: str, origin: str, person: Person
) -> None:
    """A token must be fetched when it is needed, and not for each request."""
    tab = Tab(browser, origin, person.cookies)

    assert tab.call(source, person, mint(person.id)) == 201
    assert FRESH_TOKEN not in tab.asked


def test_a_page_tries_once_with_a_new_token(
    browser: Browser, source: str, origin: str, api: LiveServer, person: Person
) -> None:
    """Where new tokens are refused as well the page must not ask for ever."""
    tab = Tab(browser, origin, person.cookies)
    expired = {"token": mint(person.id, exp=1)}
    # A second request would reach Better Auth, and end with a 201.
    tab.page.route(f"**{FRESH_TOKEN}", lambda route: route.fulfill(json=expired), times=1)

    assert tab.call(source, person, mint(person.id, exp=1)) == 401
    assert [path for path in tab.asked if path == FRESH_TOKEN] == [FRESH_TOKEN]
    assert stored_tasks(api, person.id) == []


def test_a_page_whose_session_has_ended_gets_the_401(
    browser: Browser, source: str, origin: str, api: LiveServer, person: Person
) -> None:
    """Without a session there is no new token, and its user must sign in."""
    tab = Tab(browser, origin, cookies={})

    assert tab.call(source, person, mint(person.id, exp=1)) == 401
    assert tab.asked == [f"/api/{person.id}/tasks", FRESH_TOKEN]
    assert stored_tasks(api, person.id) == []
