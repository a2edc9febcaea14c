"""A busy SQLite file, and one that is replaced (docs/deployment.md, "Backup and restore")."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from faults.load import User
from faults.observing import workers
from todo_project.tests.live_server import LiveServer, copy_project, run, serving, write_env
from todo_project.tests.waiting import wait_until

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
    """Every process must refuse requests, and the old file must have all acknowledged tasks."""
    users = [User(server, f"keeper-{number}") for number in range(10)]

    def create() -> None:
        for user in users:
            user.create()
            user.close()  # the next connection may reach another process

    create()
    backup, old = file.with_suffix(".backup"), file.with_suffix(".old")
    with closing(sqlite3.connect(file)) as database, closing(sqlite3.connect(backup)) as copy:
        database.backup(copy)
    create()
    file.rename(old)
    backup.rename(file)
    create()
    killed, before = min(workers(server)), workers(server)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(workers(server) - {killed}) == 2)
    create()
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not before & workers(server))
    create()
    server.stop()
    after = {outcome.status for user in users for outcome in user.outcomes[2:]}
    acknowledged = {title for user in users for title in user.acknowledged}
    lost = len(acknowledged - titles(old))
    restored = len(titles(file))
    figures.update(acknowledged=len(acknowledged), lost=lost, statuses=after, restored=restored)
    assert (len(acknowledged), lost, restored, after) == (20, 0, 10, {503})
    assert "stop the service, then start it" in server.log


def titles(file: Path) -> set[str]:
    """Return the titles of all tasks in a file."""
    with closing(sqlite3.connect(file)) as database:
        return {title for (title,) in database.execute("SELECT title FROM task")}
