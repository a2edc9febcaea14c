"""The live server that the black-box tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from todo_project.tests.live_server import (
    LiveServer,
    copy_project,
    fresh_database,
    run,
    serving,
    write_env,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the project, without a ``.env``."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve a fresh database with nothing but the plan's four lines."""
    folder = tmp_path_factory.mktemp("live")
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        write_env(project, database_url)
        migrated = run(project, "manage.py", "migrate", "--verbosity=0")
        assert migrated.returncode == 0, migrated.stderr
        with serving(project, folder / "server.log") as live:
            yield live
            assert live.stop() == 0, live.log


@pytest.fixture
def admin() -> Iterator[psycopg.Connection[Any]]:
    """Look at the tests' PostgreSQL from outside."""
    with psycopg.connect(os.environ["NEON_DATABASE_URL"], autocommit=True) as admin:
        yield admin
