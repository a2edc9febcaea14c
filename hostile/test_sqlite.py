"""A busy SQLite file, and one that is replaced (docs/deployment.md, "Backup and restore")."""

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from faults.load import User
from todo_project.tests.live_server import LiveServer, copy_project, run, serving, write_env

RESPONSE_SECONDS = 6.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the database's file."""
    return tmp_path / "db.sqlite3"


@pytest.fixture
def server(tmp_path: Path, file: Path) -> Iterator[LiveServer]:
    """Serve with SQLite and two worker processes."""
    project = copy_project(tmp_path / "project")
    write_env(project, f"sqlite:///{file}")
    assert run(project, "manage.py", "migrate", "--verbosity=0").returncode == 0
    with serving(project, tmp_path / "server.log") as live:
        yield live


def test_a_waiting_writer(server: LiveServer, file: Path, figures: dict[str, Any]) -> None:
    """Another program that holds the write lock must cause a 503 in time."""
    users = [User(server, f"writer-{number}") for number in range(20)]
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(20) as executor:
            list(executor.map(User.create, users))
        other.rollback()
    slowest = max(user.outcomes[0].seconds for user in users)
    figures.update({"requests": 20, "slowest s": round(slowest, 2)})
    assert {user.outcomes[0].status for user in users} == {503}
    assert slowest < RESPONSE_SECONDS
    for user in users:
        user.create()
        user.close()
    assert {user.outcomes[1].status for user in users} == {201}


def test_a_file_that_is_replaced(server: LiveServer, file: Path, figures: dict[str, Any]) -> None:
    """Every request must get a 503, and the old file and its log have all acknowledged tasks."""
    user = User(server, "keeper")
    for _ in range(20):
        user.create()
    old = file.with_suffix(".old")
    shutil.copy(file, file.with_suffix(".copy"))
    file.rename(old)
    file.with_suffix(".copy").rename(file)
    for _ in range(20):
        user.create()
        user.send("GET", "/health/ready")
    user.close()
    after = {outcome.status for outcome in user.outcomes[20:]}
    server.stop()
    old.replace(file)  # beside its log
    with closing(sqlite3.connect(file)) as database:
        titles = {title for (title,) in database.execute("SELECT title FROM task")}
    lost = len({*user.acknowledged} - titles)
    figures.update(acknowledged=len(user.acknowledged), lost=lost, statuses=after)
    assert (len(user.acknowledged), lost, after) == (20, 0, {503})
    assert "stop the service, then start it" in server.log
