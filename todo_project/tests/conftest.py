"""The live server that the black-box tests share."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import IN_CI
from todo_project.tests.live_server import Deployment, LiveServer, copy_project, deploying


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the project, without a ``.env``."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Migrate a database, and give its URL: copies of it spare a process each."""
    with deploying(tmp_path_factory.mktemp("template")) as deployed:
        migrated = deployed.manage("migrate", "--verbosity=0")
        assert (migrated.returncode, migrated.stderr) == (0, "")
        yield deployed.database_url


@pytest.fixture(scope="session")
def deployment_of_server(
    template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Deploy what the shared server serves, with nothing but the plan's four lines."""
    with deploying(tmp_path_factory.mktemp("live"), template) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def server(deployment_of_server: Deployment) -> Iterator[LiveServer]:
    """Serve it. Each test has users of its own."""
    with deployment_of_server.serving() as live:
        yield live
        assert live.stop() == 0, live.log


@pytest.fixture
def random_seed(request: pytest.FixtureRequest) -> int:
    """Choose a seed, and print it: pytest shows it where the test fails.

    ``pytest --hypothesis-seed=N`` sets it. CI, which must not fail by chance, has always the same.
    """
    by_chance = 0 if IN_CI else random.randrange(2**32)  # noqa: S311 - has to vary
    number = int(request.config.getoption("--hypothesis-seed") or by_chance)
    print(f"--hypothesis-seed={number}")  # noqa: T201 - it is what pytest shows
    return number


@pytest.fixture
def admin() -> Iterator[psycopg.Connection[Any]]:
    """Look at the tests' PostgreSQL from outside."""
    with psycopg.connect(os.environ["NEON_DATABASE_URL"], autocommit=True) as admin:
        yield admin
