"""The live server that the end-to-end tests share, and other fixtures."""

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
    """Copy the deployed files, without a ``.env``, and return their folder."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a migrated database: copying it is faster than migrating another."""
    with deploying(tmp_path_factory.mktemp("template")) as deployed:
        migrated = deployed.manage("migrate", "--verbosity=0")
        assert (migrated.returncode, migrated.stderr) == (0, "")
        yield deployed.database_url


@pytest.fixture(scope="session")
def server_deployment(
    template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Deploy the project for the shared server, with only the plan's four variables."""
    with deploying(tmp_path_factory.mktemp("live"), template) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def server(server_deployment: Deployment) -> Iterator[LiveServer]:
    """Serve the shared deployment. Each test uses its own users."""
    with server_deployment.serving() as live:
        yield live
        assert live.stop() == 0, live.log


@pytest.fixture
def random_seed(request: pytest.FixtureRequest) -> int:
    """Choose a seed and print it; pytest shows the output if the test fails.

    ``pytest --hypothesis-seed=N`` sets the seed. In CI it is constant, so that runs are
    reproducible.
    """
    default = 0 if IN_CI else random.randrange(2**32)  # noqa: S311 - not a secret
    seed = int(request.config.getoption("--hypothesis-seed") or default)
    print(f"--hypothesis-seed={seed}")  # noqa: T201 - pytest shows it
    return seed


@pytest.fixture
def admin() -> Iterator[psycopg.Connection[Any]]:
    """Open a connection to the tests' database server, besides Django's."""
    with psycopg.connect(os.environ["NEON_DATABASE_URL"], autocommit=True) as admin:
        yield admin
