"""One PostgreSQL and one project for the suite, and the table of figures at its end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.postgres import Postgres, own_postgres
from todo_project.tests.live_server import LiveServer, copy_project, run, serving, write_env

FIGURES = pytest.StashKey[dict[str, dict[str, Any]]]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test here as one that starts processes."""
    item.add_marker("live")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL that a test may break, and must leave whole."""
    with own_postgres() as postgres:
        postgres.start()
        yield postgres


@pytest.fixture(scope="session")
def project(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set the project up, with its tables."""
    project = copy_project(tmp_path_factory.mktemp("faults") / "project")
    write_env(project, postgres.url)
    migrated = run(project, "manage.py", "migrate", "--verbosity=0")
    assert migrated.returncode == 0, migrated.stderr
    return project


@pytest.fixture
def server(project: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """Serve with two worker processes."""
    with serving(project, tmp_path / "server.log") as live:
        yield live


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Collect what a test has measured, to be printed at the end."""
    every = request.config.stash.setdefault(FIGURES, {})
    return every.setdefault(request.node.name.removeprefix("test_"), {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures."""
    terminalreporter.section("figures")
    for name, figures in config.stash.get(FIGURES, {}).items():
        terminalreporter.line(name)
        terminalreporter.line("    " + ", ".join(f"{key} {figures[key]}" for key in figures))
