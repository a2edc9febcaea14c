"""Better Auth, the API with the same secret, and a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from conftest import IN_CI, SECRET
from examples.demo import install_packages, node_problem
from examples.tests.better_auth import (
    BetterAuth,
    BetterAuthProcess,
    Deployment,
    User,
    running_better_auth,
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
    """Skip the current test, or fail it in CI, unless the reason is ``None``."""
    if reason and IN_CI:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> None:
    """Require Node and install the example's packages."""
    require(node_problem())
    install_packages()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path to Chromium."""
    path = shutil.which("chromium")
    require(None if path else "The browser tests need Debian's chromium, which is not installed.")
    return str(path)


# Per module, because Django refuses database queries while Playwright's event loop runs.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start Chromium."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, timeout=180_000
        ) as browser,
    ):
        yield browser


@pytest.fixture(scope="session")
def front_end() -> str:
    """Return the origin that both servers allow."""
    return f"http://localhost:{free_port()}"


@pytest.fixture(scope="session")
def deployment(front_end: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Copy the project and migrate a fresh database."""
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
    """Serve the API with Better Auth's secret."""
    with deployment.serving() as live:
        yield live


@pytest.fixture(scope="session")
def better_auth_process(node: None, front_end: str) -> Iterator[BetterAuthProcess]:
    """Run the process that serves Better Auth with the API's secret."""
    with running_better_auth(front_end) as process:
        yield process


@pytest.fixture(scope="session")
def better_auth(better_auth_process: BetterAuthProcess) -> BetterAuth:
    """Serve Better Auth as the example configures it."""
    return better_auth_process.serving()


@pytest.fixture
def user(better_auth: BetterAuth) -> Iterator[User]:
    """Sign up a user."""
    with better_auth.client() as client:
        yield sign_up(client)


@pytest.fixture(scope="session")
def documented(api: LiveServer) -> LiveServer:
    """Return the API, which serves its documentation."""
    return api
