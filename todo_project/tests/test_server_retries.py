"""Retries and two tabs at the same moment (contract.md "What goes beyond the plan")."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from todo_project.tests.live_server import LiveServer, at_once

pytestmark = pytest.mark.each_database

ROUNDS = 5
CROWD = 20
# what a client sees of an answer: its status, the task's id, whether it is a replay
Seen = tuple[int, Any, bool]


@pytest.fixture
def user(server: LiveServer) -> str:
    """Name somebody who has no tasks yet."""
    return f"retrier-{uuid4().hex}"


@pytest.fixture
def client(server: LiveServer, user: str) -> Iterator[httpx.Client]:
    """Sign them in."""
    with server.client(user) as client:
        yield client


def seen(answer: httpx.Response) -> Seen:
    """Pick what tells the answers apart."""
    return answer.status_code, answer.json().get("id"), "Idempotent-Replayed" in answer.headers


def test_of_creates_with_one_key_at_once_one_makes_the_task(
    client: httpx.Client, user: str
) -> None:
    """All must get the same task, and exactly one of them must have made it."""
    for number in range(ROUNDS):
        key = {"Idempotency-Key": f"round {number}"}
        request = partial(client.post, f"/api/{user}/tasks", json={"title": "Once"}, headers=key)

        answers = at_once([request] * CROWD)

        (task_id,) = {answer.json().get("id") for answer in answers}
        assert Counter(map(seen, answers)) == {
            (201, task_id, False): 1,
            (201, task_id, True): CROWD - 1,
        }
    assert len(client.get(f"/api/{user}/tasks").json()) == ROUNDS


def test_of_creates_with_one_key_and_two_bodies_at_once_one_body_wins(
    client: httpx.Client, user: str
) -> None:
    """The other must be refused, whichever came first, and only one task be there."""
    for number in range(ROUNDS):
        key = {"Idempotency-Key": f"round {number}"}
        requests = [
            partial(client.post, f"/api/{user}/tasks", json={"title": title}, headers=key)
            for title in ("one", "two")
        ]

        answers = at_once(requests * (CROWD // 2))

        assert Counter(answer.status_code for answer in answers) == {
            201: CROWD // 2,
            422: CROWD // 2,
        }
        assert len({answer.json()["id"] for answer in answers if answer.is_success}) == 1
    assert len(client.get(f"/api/{user}/tasks").json()) == ROUNDS


def test_one_key_of_many_users_at_once_makes_a_task_for_each(server: LiveServer, user: str) -> None:
    """A key must be a user's own, at the same moment too (SC-002)."""
    key = {"Idempotency-Key": "everybody's"}
    users = [f"{user}-{number}" for number in range(CROWD)]
    clients = [server.client(each) for each in users]

    answers = at_once(
        [
            partial(client.post, f"/api/{each}/tasks", json={"title": each}, headers=key)
            for client, each in zip(clients, users, strict=True)
        ]
    )
    for client in clients:
        client.close()

    assert [(answer.status_code, answer.json()["user_id"]) for answer in answers] == [
        (201, each) for each in users
    ]


def test_a_retry_after_the_connection_broke_finds_the_task(
    server: LiveServer, client: httpx.Client, user: str
) -> None:
    """A create whose answer nobody read must be there, once."""
    key, body = {"Idempotency-Key": "lost"}, {"title": "Once"}
    with client.stream("POST", f"/api/{user}/tasks", json=body, headers=key):
        pass  # hangs up without a look at the body

    answer = client.post(f"/api/{user}/tasks", json=body, headers=key)

    assert seen(answer) == (201, client.get(f"/api/{user}/tasks").json()[0]["id"], True)
    assert len(client.get(f"/api/{user}/tasks").json()) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_of_writes_to_one_version_at_once_exactly_one_wins(
    client: httpx.Client, user: str, method: str
) -> None:
    """The others must get a 412 (or find the task deleted), and have changed nothing."""
    for _ in range(ROUNDS):
        created = client.post(f"/api/{user}/tasks", json={"title": "Old"})
        path = f"/api/{user}/tasks/{created.json()['id']}"
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


def test_a_304_has_no_body_on_the_wire(client: httpx.Client, user: str) -> None:
    """A connection must be as good after a 304 as before (RFC 9110 §15.4.5)."""
    created = client.post(f"/api/{user}/tasks", json={"title": "Buy milk"})
    tag, url = created.headers["ETag"], f"/api/{user}/tasks/{created.json()['id']}"

    for method in ("GET", "HEAD"):
        answer = client.request(method, url, headers={"If-None-Match": tag})

        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Content-Type" not in answer.headers
        assert client.get(url).status_code == 200
