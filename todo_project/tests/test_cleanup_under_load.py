"""The API while ``cleanup_tasks`` is running."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from todo_project.tests.live_server import LiveServer, deploying

pytestmark = [pytest.mark.live, pytest.mark.each_database]

USERS = 4
STALE = 10_000
# Far above the usual time, because the machine may be busy
TOO_LATE_SECONDS = 20.0


def work(server: LiveServer, user: str, is_over: Event) -> list[httpx.Response]:
    """Create, flip, read and delete tasks until the event is set; return the responses."""
    responses: list[httpx.Response] = []
    tasks = f"/api/{user}/tasks"
    with server.client(user) as client:
        while not is_over.is_set():
            created = client.post(tasks, json={"title": "Buy milk"})
            path = f"{tasks}/{created.json().get('id')}"
            responses += (
                created,
                client.patch(f"{path}/complete"),
                client.get(tasks),
                client.delete(path),
            )
    return responses


def test_requests_succeed_during_a_cleanup(template: str, tmp_path: Path) -> None:
    """No request may fail or wait too long, for example for a lock."""
    is_over = Event()
    command = ("cleanup_tasks", "--user=gone", "--no-input", "--batch-size=500")
    with (
        deploying(tmp_path, template) as deployed,
        deployed.serving() as server,
        ThreadPoolExecutor(USERS) as pool,
    ):
        deployed.fill("gone", STALE)
        working = [pool.submit(work, server, f"user{each}", is_over) for each in range(USERS)]
        try:
            done = deployed.manage(*command)
        finally:
            is_over.set()
        responses = [response for future in working for response in future.result()]

    assert done.stdout == f"Deleted {STALE} tasks of the user 'gone'.\n"
    statuses = Counter(response.status_code for response in responses)
    assert statuses.keys() == {200, 201, 204}
    assert statuses[201] == statuses[204] > USERS
    assert max(response.elapsed.total_seconds() for response in responses) < TOO_LATE_SECONDS
