"""One PostgreSQL server and one deployment for the suite, and a summary of its measurements."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.postgres import Postgres, private_postgres
from todo_project.tests.live_server import LiveServer, copy_project, run, serving, write_env

FIGURES = pytest.StashKey[dict[str, dict[str, Any]]]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test in this folder as ``live``."""
    item.add_marker("live")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL server, which a test may stop but must leave running."""
    with private_postgres() as postgres:
        postgres.start()
        yield postgres


@pytest.fixture(scope="session")
def project(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project and migrate its database."""
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
    """Return a dictionary for the test's measurements, which are printed at the end."""
    all_figures = request.config.stash.setdefault(FIGURES, {})
    return all_figures.setdefault(request.node.name.removeprefix("test_"), {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the measurements."""
    terminalreporter.section("figures")
    for name, figures in config.stash.get(FIGURES, {}).items():
        terminalreporter.line(name)
        terminalreporter.line("    " + ", ".join(f"{key} {figures[key]}" for key in figures))
