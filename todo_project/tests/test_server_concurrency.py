"""Simultaneous requests, over several worker processes (docs/contract.md, "Concurrency")."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from todo_project.tests.live_server import LiveServer, at_once

pytestmark = pytest.mark.each_database

FLIPS = 100
WRITERS = 50
ROUNDS = 20
RETRIES = 5
CROWD = 20
# The status, the task's id, and whether the response is a replay
Summary = tuple[int, Any, bool]


@pytest.fixture
def tasks() -> str:
    """Return the tasks path of a new user."""
    return f"/api/crowd-{uuid4().hex}/tasks"


@pytest.fixture
def client(server: LiveServer, tasks: str) -> Iterator[httpx.Client]:
    """Open a client with the user's token."""
    with server.client(tasks.split("/")[2]) as client:
        yield client


@pytest.fixture
def path(client: httpx.Client, tasks: str) -> str:
    """Create a task and return its path."""
    task = client.post(tasks, json={"title": "Buy milk"}).json()
    return f"{tasks}/{task['id']}"


def test_100_simultaneous_flips_leave_the_task_as_it_was(client: httpx.Client, path: str) -> None:
    """Every flip must count, and each response must show the result of its own flip (SC-004).

    ``updated_at`` must increase strictly (docs/contract.md, "A task"; FR-011).
    """
    created = client.get(path).json()

    answers = at_once([lambda: client.patch(f"{path}/complete")] * FLIPS)

    assert {answer.status_code for answer in answers} == {200}
    tasks = sorted((answer.json() for answer in answers), key=lambda task: task["updated_at"])
    assert [task["completed"] for task in tasks] == [True, False] * (FLIPS // 2)
    assert len({task["updated_at"] for task in (created, *tasks)}) == 1 + FLIPS
    assert created["updated_at"] < tasks[0]["updated_at"]
    assert client.get(path).json() == tasks[-1]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "shared"}], ids=["no key", "one key"])
def test_50_simultaneous_writers_get_a_task_each(
    server: LiveServer, headers: dict[str, str]
) -> None:
    """50 users must be able to write at once (SC-007), even with the same key (SC-002)."""
    users = [f"writer-{uuid4().hex}" for _ in range(WRITERS)]
    clients = [server.client(user) for user in users]

    paths = [f"/api/{user}/tasks" for user in users]

    answers = at_once(
        [
            partial(client.post, path, json={"title": "Buy milk"}, headers=headers)
            for client, path in zip(clients, paths, strict=True)
        ]
    )
    lists = [client.get(path).json() for client, path in zip(clients, paths, strict=True)]
    for client in clients:
        client.close()

    assert {answer.status_code for answer in answers} == {201}
    assert lists == [[answer.json()] for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == WRITERS


def test_simultaneous_puts_of_different_fields_both_survive(
    client: httpx.Client, path: str
) -> None:
    """A PUT must write only the fields that were sent (docs/contract.md, "Concurrency")."""
    for number in range(ROUNDS):
        title, description = f"title {number}", f"description {number}"

        answers = at_once(
            [
                partial(client.put, path, json={"title": title}),
                partial(client.put, path, json={"description": description}),
            ]
        )

        task = client.get(path).json()
        assert {answer.status_code for answer in answers} == {200}
        assert (task["title"], task["description"]) == (title, description)


def test_only_one_simultaneous_delete_gets_a_204(client: httpx.Client, path: str) -> None:
    """A task must be deleted only once (docs/contract.md, "Concurrency")."""
    answers = at_once([lambda: client.delete(path)] * 20)

    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 19
    assert client.get(path).status_code == 404


def summary(answer: httpx.Response) -> Summary:
    """Return the status, the task's id, and whether the response is a replay."""
    return answer.status_code, answer.json().get("id"), "Idempotent-Replayed" in answer.headers


@pytest.mark.parametrize("titles", [["Once"], ["one", "two"]], ids=["one body", "two bodies"])
def test_only_one_simultaneous_post_with_a_key_creates_a_task(
    client: httpx.Client, tasks: str, titles: list[str]
) -> None:
    """Exactly one POST must create a task; equal ones must get a replay, different ones a 422."""
    posts = CROWD // len(titles)
    for number in range(RETRIES):
        key = {"Idempotency-Key": f"round {number}"}
        requests = [
            partial(client.post, tasks, json={"title": title}, headers=key) for title in titles
        ]

        answers = at_once(requests * posts)

        (task_id,) = {answer.json()["id"] for answer in answers if answer.is_success}
        assert Counter(map(summary, answers)) == Counter(
            {
                (201, task_id, False): 1,
                (201, task_id, True): posts - 1,
                (422, None, False): CROWD - posts,
            }
        )
    assert len(client.get(tasks).json()) == RETRIES


def test_a_retry_after_the_connection_broke_finds_the_task(
    server: LiveServer, client: httpx.Client, tasks: str
) -> None:
    """A retry of a POST whose response was lost must get the task that was created."""
    key, body = {"Idempotency-Key": "lost"}, {"title": "Once"}
    with client.stream("POST", tasks, json=body, headers=key):
        pass  # closes the connection without reading the body

    answer = client.post(tasks, json=body, headers=key)

    assert summary(answer) == (201, client.get(tasks).json()[0]["id"], True)
    assert len(client.get(tasks).json()) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_only_one_simultaneous_write_to_a_version_succeeds(
    client: httpx.Client, tasks: str, method: str
) -> None:
    """The other writes must get a 412, or a 404 after a DELETE, and change nothing."""
    for _ in range(RETRIES):
        created = client.post(tasks, json={"title": "Old"})
        path = f"{tasks}/{created.json()['id']}"
        url = f"{path}/complete" if method == "PATCH" else path
        requests = [
            partial(
                client.request,
                method,
                url,
                json={"title": f"tab {number}"} if method == "PUT" else None,
                headers={"If-Match": created.headers["ETag"]},
            )
            for number in range(CROWD)
        ]

        answers = at_once(requests)

        (winner,) = (answer for answer in answers if answer.is_success)
        lost = {answer.status_code for answer in answers if answer is not winner}
        assert lost <= ({412, 404} if method == "DELETE" else {412})
        now = client.get(path)
        assert now.content == (winner.content if method != "DELETE" else now.content)
        assert now.status_code == (404 if method == "DELETE" else 200)


def test_a_304_has_no_body_on_the_wire(client: httpx.Client, tasks: str) -> None:
    """A 304 must have no content, and leave the connection usable (RFC 9110 §15.4.5)."""
    created = client.post(tasks, json={"title": "Buy milk"})
    tag, url = created.headers["ETag"], f"{tasks}/{created.json()['id']}"

    for method in ("GET", "HEAD"):
        answer = client.request(method, url, headers={"If-None-Match": tag})

        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Content-Type" not in answer.headers
        assert client.get(url).status_code == 200
