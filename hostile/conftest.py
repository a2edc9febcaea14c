"""The servers, the database and the summary of the fault suite, and a limit of open files."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import IN_CI
from faults.conftest import (
    figures,
    postgres,
    project,
    pytest_itemcollected,
    pytest_terminal_summary,
    server,
)
from hostile.wire import Address
from todo_project.tests.live_server import LiveServer, run, serving

__all__ = [
    "figures",
    "postgres",
    "project",
    "pytest_itemcollected",
    "pytest_terminal_summary",
    "server",
]

# for 2,300 connections of this process, and as many of the server's
NEEDED_FILES = 6000


@pytest.fixture(scope="session", autouse=True)
def _many_open_files() -> Iterator[None]:
    """Raise this process's limit of open files; the servers inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < NEEDED_FILES:
        give_up = pytest.fail if IN_CI else pytest.skip
        give_up(f"needs {NEEDED_FILES} open files, and the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="session")
def superuser(project: Path) -> None:
    """Create a member of staff with all permissions."""
    from todo_project.tests.staff import ACCOUNT  # needs the applications

    created = run(project, "manage.py", "createsuperuser", "--noinput", **ACCOUNT)
    assert created.returncode == 0, created.stderr


@pytest.fixture(scope="module")
def single_worker(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with one worker process, and with short limits for slow clients."""
    log = tmp_path_factory.mktemp("hostile") / "server.log"
    limits = {"HEADER_TIMEOUT": "2", "BODY_TIMEOUT": "3", "SEND_TIMEOUT": "3"}
    with serving(project, log, WEB_CONCURRENCY="1", **limits) as live:
        yield live


@pytest.fixture
def address(single_worker: LiveServer) -> Address:
    """Return the address of the server with one worker process."""
    return "127.0.0.1", single_worker.port
