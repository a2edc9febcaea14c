"""A real Better Auth, a real API with the same secret, and a machine that can run both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from conftest import IN_CI, SECRET
from examples.demo import install_packages, why_no_node
from examples.tests.better_auth import (
    BetterAuth,
    BetterAuths,
    Deployment,
    Person,
    running_better_auths,
    sign_up,
)
from todo_project.tests.live_server import (
    LiveServer,
    copy_project,
    free_port,
    fresh_database,
    run,
)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def require(reason: str | None) -> None:
    """Skip a test that this machine cannot run, for this reason; in CI, fail it."""
    if reason and IN_CI:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> None:
    """Have Node, and the example's packages installed."""
    require(why_no_node())
    install_packages()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Find the browser's program."""
    found = shutil.which("chromium")
    require(None if found else "The browser tests need Debian's chromium, which is not installed.")
    return str(found)


# The module's, not the session's: while it runs, its event loop keeps Django from the database.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start Chromium."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, timeout=180_000
        ) as started,
    ):
        yield started


@pytest.fixture(scope="session")
def front_end() -> str:
    """Name the origin of the page that both servers are to let in."""
    return f"http://localhost:{free_port()}"


@pytest.fixture(scope="session")
def deployment(front_end: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy the API on a fresh database."""
    folder: Path = tmp_path_factory.mktemp("deployment")
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        variables = {
            "API_DOCS": "true",
            "BETTER_AUTH_SECRET": SECRET,
            "BETTER_AUTH_URL": front_end,
            "NEON_DATABASE_URL": database_url,
            "WEB_CONCURRENCY": "1",
        }
        migrated = run(project, "manage.py", "migrate", "--verbosity=0", **variables)
        assert migrated.returncode == 0, migrated.stderr
        yield Deployment(project, variables, folder)


@pytest.fixture(scope="session")
def api(deployment: Deployment) -> Iterator[LiveServer]:
    """Serve the API with the secret that Better Auth has."""
    with deployment.serving() as live:
        yield live


@pytest.fixture(scope="session")
def better_auths(node: None, front_end: str) -> Iterator[BetterAuths]:
    """Run the process that serves Better Auth with the API's secret."""
    with running_better_auths(front_end) as running:
        yield running


@pytest.fixture(scope="session")
def better_auth(better_auths: BetterAuths) -> BetterAuth:
    """Serve Better Auth as the example has it."""
    return better_auths.serving()


@pytest.fixture
def person(better_auth: BetterAuth) -> Iterator[Person]:
    """Sign somebody up."""
    with better_auth.visitor() as browser:
        yield sign_up(browser)


@pytest.fixture(scope="session")
def documented(api: LiveServer) -> LiveServer:
    """Serve the documents, which the API has on."""
    return api
