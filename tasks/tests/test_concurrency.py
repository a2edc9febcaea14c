"""Simultaneous writers, each with its own connection."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import TaskFactory

THREADS = 12  # each thread holds a connection, and a process has a limited number of them

# method, path below /api/alice/tasks, body
Call = tuple[str, str, Any]


@pytest.fixture(autouse=True)
def _shared_database(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """On SQLite, use a file, as in production, instead of the tests' in-memory database.

    Threads that share an in-memory database get an error instead of waiting for a lock.
    """
    if connection.vendor != "sqlite":
        yield
        return
    in_memory = connections["default"]
    with closing(sqlite3.connect(tmp_path / "tasks.sqlite3")) as copy:
        in_memory.ensure_connection()
        in_memory.connection.backup(copy)
    with pytest.MonkeyPatch.context() as patch:
        # every thread connects with the same settings
        patch.setitem(in_memory.settings_dict, "NAME", tmp_path / "tasks.sqlite3")
        connections["default"] = connections.create_connection("default")
        yield
        connection.close()
        connections["default"] = in_memory


def at_once(calls: Sequence[Call]) -> list[Any]:
    """Send Alice's requests from threads that start together; return the responses in any order."""
    barrier = Barrier(THREADS)

    def send(share: Sequence[Call]) -> list[Any]:
        client = ApiClient("alice")
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return [
                client.send(method, f"/api/alice/tasks{path}", body) for method, path, body in share
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        shares = [calls[start::THREADS] for start in range(THREADS)]
        return [response for responses in pool.map(send, shares) for response in responses]


def test_every_simultaneous_flip_counts() -> None:
    """In order of ``updated_at``, ``completed`` must alternate; no two times may be equal.

    An even number of flips must restore the task (docs/contract.md, "Concurrency").
    """
    task = TaskFactory.create(completed=False)

    responses = at_once([("PATCH", f"/{task.id}/complete", None)] * 100)
    shown = sorted(
        (response.json() for response in responses), key=lambda shown: shown["updated_at"]
    )

    assert [flip["completed"] for flip in shown] == [True, False] * 50
    assert len({flip["updated_at"] for flip in shown}) == 100
    assert ApiClient("alice").send("GET", f"/api/alice/tasks/{task.id}").json() == shown[-1]


def test_simultaneous_updates_of_different_fields_all_survive() -> None:
    """Each update must write only its own fields (docs/contract.md, "Concurrency")."""
    tasks = TaskFactory.create_batch(20, title="Old", description=None, completed=False)
    changes: list[dict[str, Any]] = [{"title": "New"}, {"description": "New"}, {"completed": True}]

    responses = at_once([("PUT", f"/{task.id}", change) for task in tasks for change in changes])

    assert Counter(response.status_code for response in responses) == {200: 60}
    assert set(Task.objects.values_list("title", "description", "completed")) == {
        ("New", "New", True)
    }


def test_a_simultaneous_flip_and_update_both_survive() -> None:
    """An update of other fields must not undo a flip (docs/contract.md, "Concurrency")."""
    task = TaskFactory.create(title="Old", completed=False)
    flip: Call = ("PATCH", f"/{task.id}/complete", None)
    update: Call = ("PUT", f"/{task.id}", {"title": "New"})

    at_once([flip, update] * 25)

    assert (Task.objects.get().title, Task.objects.get().completed) == ("New", True)


def test_only_one_of_several_simultaneous_deletes_succeeds() -> None:
    """Exactly one delete must get the 204 (docs/contract.md, "Concurrency")."""
    task = TaskFactory.create()

    responses = at_once([("DELETE", f"/{task.id}", None)] * THREADS)

    assert Counter(response.status_code for response in responses) == {204: 1, 404: THREADS - 1}
    assert not Task.objects.exists()


def test_simultaneous_creates_all_succeed() -> None:
    """Every create must succeed, each with a different id (FR-009, SC-007)."""
    responses = at_once([("POST", "", {"title": str(number)}) for number in range(100)])

    assert Counter(response.status_code for response in responses) == {201: 100}
    assert len({response.json()["id"] for response in responses}) == Task.objects.count() == 100
