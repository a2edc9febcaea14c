"""A page's calls to the API after its token has expired or its session has ended."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from conftest import mint
from examples.demo import EXAMPLE
from examples.tests.better_auth import BetterAuth, User, stored_tasks
from examples.tests.gateway import running_gateway
from todo_project.tests.live_server import LiveServer

CALL = """async ([call_js, token, path, init]) => {
    const { caller } = await import("data:text/javascript," + encodeURIComponent(call_js));
    return (await caller("", token)(path, init)).status;
}"""
TOKEN_PATH = "/api/auth/api-token"
POST = {
    "method": "POST",
    "headers": {"Content-Type": "application/json"},
    "body": '{"title": "Buy milk"}',
}


@pytest.fixture(scope="module")
def call_js(node: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compile the example with type checking, and return ``call.js``."""
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
    """A page on the common origin of Better Auth and the API, with a user's cookies."""

    def __init__(self, browser: Browser, origin: str, cookies: dict[str, str]) -> None:
        context = browser.new_context()
        context.add_cookies(
            [{"name": name, "value": value, "url": origin} for name, value in cookies.items()]
        )
        self.requested_paths: list[str] = []
        self.page = context.new_page()
        self.page.goto(f"{origin}/health")
        self.page.on(
            "request", lambda request: self.requested_paths.append(urlsplit(request.url).path)
        )

    def call(self, call_js: str, user: User, token: str) -> int:
        """Create a task with this token through ``call.js``, and return the status."""
        status: int = self.page.evaluate(CALL, [call_js, token, f"/api/{user.id}/tasks", POST])
        return status


@pytest.fixture(scope="module")
def origin(better_auth: BetterAuth, api: LiveServer) -> Iterator[str]:
    """Run the gateway in front of both servers and return its origin."""
    auth_port = urlsplit(better_auth.address).port
    assert auth_port
    with running_gateway(auth_port, api.port) as client:
        yield str(client.base_url).rstrip("/")


def test_a_page_with_an_expired_token_gets_a_new_one(
    browser: Browser, call_js: str, origin: str, api: LiveServer, user: User
) -> None:
    """The page must repeat the whole request once, without asking the user to sign in."""
    tab = Tab(browser, origin, user.cookies)

    assert tab.call(call_js, user, mint(user.id, exp=1)) == 201
    assert [path for path in tab.requested_paths if path == TOKEN_PATH] == [TOKEN_PATH]
    assert len(stored_tasks(api, user.id)) == 1


def test_a_page_with_a_valid_token_does_not_request_a_new_one(
    browser: Browser, call_js: str, origin: str, user: User
) -> None:
    """A page must request a token only when it needs one, not for each request."""
    tab = Tab(browser, origin, user.cookies)

    assert tab.call(call_js, user, mint(user.id)) == 201
    assert TOKEN_PATH not in tab.requested_paths


def test_a_page_retries_only_once(
    browser: Browser, call_js: str, origin: str, api: LiveServer, user: User
) -> None:
    """If the new token is rejected too, the page must not retry forever."""
    tab = Tab(browser, origin, user.cookies)
    expired = {"token": mint(user.id, exp=1)}
    # A second renewal would reach Better Auth, and the call would end with a 201.
    tab.page.route(f"**{TOKEN_PATH}", lambda route: route.fulfill(json=expired), times=1)

    assert tab.call(call_js, user, mint(user.id, exp=1)) == 401
    assert [path for path in tab.requested_paths if path == TOKEN_PATH] == [TOKEN_PATH]
    assert stored_tasks(api, user.id) == []


def test_a_page_without_a_session_gets_the_401(
    browser: Browser, call_js: str, origin: str, api: LiveServer, user: User
) -> None:
    """Without a session the page must get the 401, so that the user can sign in."""
    tab = Tab(browser, origin, cookies={})

    assert tab.call(call_js, user, mint(user.id, exp=1)) == 401
    assert tab.requested_paths == [f"/api/{user.id}/tasks", TOKEN_PATH]
    assert stored_tasks(api, user.id) == []
