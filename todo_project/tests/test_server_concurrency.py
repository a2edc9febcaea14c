"""Many requests at the same moment, over several worker processes (contract.md "Concurrency")."""

from collections.abc import Iterator

import httpx
import pytest

from todo_project.tests.live_server import LiveServer, at_once

pytestmark = pytest.mark.each_database

FLIPS = 100
WRITERS = 50
ROUNDS = 20


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """Sign the user in who does everything at once."""
    with server.client("crowd") as client:
        yield client


@pytest.fixture
def path(client: httpx.Client) -> str:
    """Create a task, and give its path."""
    task = client.post("/api/crowd/tasks", json={"title": "Buy milk"}).json()
    return f"/api/crowd/tasks/{task['id']}"


def test_100_simultaneous_flips_leave_the_task_as_it_was(client: httpx.Client, path: str) -> None:
    """Of simultaneous flips every one must count, and each answer show its own (SC-004)."""
    answers = at_once([lambda: client.patch(f"{path}/complete")] * FLIPS)

    assert {answer.status_code for answer in answers} == {200}
    tasks = sorted((answer.json() for answer in answers), key=lambda task: task["updated_at"])
    assert [task["completed"] for task in tasks] == [True, False] * (FLIPS // 2)
    assert client.get(path).json() == tasks[-1]


def test_100_simultaneous_flips_have_100_distinct_times(client: httpx.Client, path: str) -> None:
    """``updated_at`` must move strictly forward (contract.md "A task"; FR-011)."""
    created = client.get(path).json()

    answers = at_once([lambda: client.patch(f"{path}/complete")] * FLIPS)

    times = {answer.json()["updated_at"] for answer in answers}
    assert len(times) == FLIPS
    assert created["updated_at"] < min(times)


def test_50_writers_at_once_get_no_error(server: LiveServer) -> None:
    """50 users must be able to write at the same moment (SC-007)."""
    users = [f"writer{number}" for number in range(WRITERS)]
    clients = [server.client(user) for user in users]

    answers = at_once(
        [
            lambda client=client, user=user: client.post(  # type: ignore[misc]
                f"/api/{user}/tasks", json={"title": user}
            )
            for client, user in zip(clients, users, strict=True)
        ]
    )
    lists = [
        client.get(f"/api/{user}/tasks").json() for client, user in zip(clients, users, strict=True)
    ]
    for client in clients:
        client.close()

    assert {answer.status_code for answer in answers} == {201}
    assert lists == [[answer.json()] for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == WRITERS


def test_puts_of_different_fields_at_once_both_survive(client: httpx.Client, path: str) -> None:
    """A PUT must write the fields it was sent and no others (contract.md "Concurrency")."""
    for number in range(ROUNDS):
        title, description = f"title {number}", f"description {number}"

        answers = at_once(
            [
                lambda title=title: client.put(path, json={"title": title}),  # type: ignore[misc]
                lambda text=description: client.put(  # type: ignore[misc]
                    path, json={"description": text}
                ),
            ]
        )

        task = client.get(path).json()
        assert {answer.status_code for answer in answers} == {200}
        assert (task["title"], task["description"]) == (title, description)


def test_of_simultaneous_deletes_exactly_one_gets_the_204(client: httpx.Client, path: str) -> None:
    """A task must be deleted once (contract.md "Concurrency")."""
    answers = at_once([lambda: client.delete(path)] * 20)

    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 19
    assert client.get(path).status_code == 404
