"""The API while an operator cleans up (issue "Staff and operators", ``cleanup_tasks``)."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from todo_project.deadlines import DATABASE_SECONDS
from todo_project.tests.live_server import (
    LiveServer,
    copy_project,
    fresh_database,
    run,
    serving,
    write_env,
)

pytestmark = [pytest.mark.live, pytest.mark.each_database]

USERS = 4
STALE = 30_000


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Path, LiveServer]]:
    """Serve a database that is full of somebody's tasks."""
    project = copy_project(tmp_path / "project")
    with fresh_database(tmp_path) as database_url:
        write_env(project, database_url)
        for command in (
            ["migrate", "--verbosity=0"],
            ["seed_tasks", "--force", "--user=gone", f"--tasks={STALE}"],
        ):
            done = run(project, "manage.py", *command)
            assert done.returncode == 0, done.stderr
        with serving(project, tmp_path / "server.log") as server:
            yield project, server


def work(server: LiveServer, user: str, is_over: Event) -> list[tuple[int, float]]:
    """Create, flip, read and delete tasks until it is over; return status and seconds of each."""
    seen: list[tuple[int, float]] = []
    tasks = f"/api/{user}/tasks"
    with server.client(user) as client:

        def call(method: str, path: str, body: dict[str, str] | None = None) -> dict[str, int]:
            begun = time.monotonic()
            answer = client.request(method, path, json=body)
            seen.append((answer.status_code, time.monotonic() - begun))
            return answer.json() if answer.content else {}

        while not is_over.is_set():
            task = call("POST", tasks, {"title": "Buy milk"})
            path = f"{tasks}/{task.get('id')}"
            call("PATCH", f"{path}/complete")
            call("GET", tasks)
            call("DELETE", path)
    return seen


def test_the_api_goes_on_while_an_operator_cleans_up(live: tuple[Path, LiveServer]) -> None:
    """Each request must succeed, and none wait for a lock as long as the database may take."""
    project, server = live
    is_over = Event()
    with ThreadPoolExecutor(USERS) as pool:
        working = [pool.submit(work, server, f"user{each}", is_over) for each in range(USERS)]
        try:
            done = run(
                project,
                "manage.py",
                "cleanup_tasks",
                "--user=gone",
                "--no-input",
                "--batch-size=500",
            )
        finally:
            is_over.set()
        seen = [each for future in working for each in future.result()]

    assert done.stdout == f"Deleted {STALE} tasks of the user 'gone'.\n"
    statuses = Counter(status for status, _ in seen)
    assert statuses.keys() == {200, 201, 204}
    assert statuses[201] == statuses[204] > USERS
    assert max(seconds for _, seconds in seen) < DATABASE_SECONDS
