"""``manage.py migrate`` while the old back end is running."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event

import psycopg
import pytest

from tasks.adoption.tests.old_databases import ALICE, BETTER_AUTH, PLAN, ROWS
from todo_project.tests.live_server import copy_project, fresh_database, run, serving, write_env

pytestmark = [pytest.mark.live, pytest.mark.postgresql]

WRITERS = 4
TIME = datetime(2026, 2, 3, 4, 5, 6)  # noqa: DTZ001 - naive, as in the plan's code
INSERT = (
    "INSERT INTO task (title, completed, user_id, created_at, updated_at)"
    " VALUES ('Old', false, 'carol', %s, %s) RETURNING id"
)


@contextmanager
def old_back_end(url: str) -> Iterator[list[int]]:
    """Read and insert as the old back end does; yield the list of committed ids as it grows."""
    acknowledged: list[int] = []
    is_over = Event()

    def write() -> None:
        with psycopg.connect(url) as wire:
            while not is_over.wait(0.01):
                wire.execute("SELECT * FROM task WHERE id = 7", prepare=False)
                row = wire.execute(INSERT, [TIME, TIME], prepare=False).fetchone()
                wire.commit()
                assert row
                acknowledged.append(row[0])

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write) for _ in range(WRITERS)]
        try:
            yield acknowledged
        finally:
            is_over.set()
        for writer in writers:
            writer.result()


def test_a_running_back_end_is_replaced_without_losing_a_task(tmp_path: Path) -> None:
    """No write during the migration may fail, and every task must be kept."""
    project = copy_project(tmp_path / "project")
    with fresh_database(tmp_path) as url:
        write_env(project, url.replace("postgresql://", "postgresql+asyncpg://"))
        with psycopg.connect(url) as admin:
            admin.execute(PLAN + ROWS + BETTER_AUTH + "SELECT setval('task_id_seq', 7)")

        with old_back_end(url) as acknowledged:
            migrated = run(project, "manage.py", "migrate", "--verbosity=0")

        assert migrated.returncode == 0, migrated.stderr
        assert acknowledged
        with serving(project, tmp_path / "server.log") as server:
            with server.client("alice") as alice:
                assert alice.get("/api/alice/tasks").json() == ALICE
            with server.client("carol") as carol:
                tasks = carol.get("/api/carol/tasks").json()
                new = carol.post("/api/carol/tasks", json={"title": "New"}).json()
        assert {task["id"] for task in tasks} == set(acknowledged)
        assert {task["created_at"] for task in tasks} == {"2026-02-03T04:05:06.000000Z"}
        assert new["id"] > max(acknowledged)
