"""The contract over HTTP, against gunicorn, with nothing but the plan's four variables."""

from typing import Any

import httpx

from conftest import mint
from todo_project.tests.live_server import LiveServer

FIELDS = ["id", "user_id", "title", "description", "completed", "created_at", "updated_at"]


def create(client: httpx.Client, user_id: str, **fields: Any) -> dict[str, Any]:
    """Create a task and return it."""
    answer = client.post(f"/api/{user_id}/tasks", json={"title": "Buy milk", **fields})
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    return task


def request_bytes(method: str, target: str, *headers: str) -> bytes:
    """Write a request that no client library has tidied up."""
    lines = (f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers)
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def bearer(user_id: str) -> str:
    """Write a user's header."""
    return f"Authorization: Bearer {mint(user_id)}"


def status_of(answer: bytes) -> int:
    """Read the status of an answer."""
    return int(answer.split(b" ", 2)[1])


def test_a_task_can_be_created_read_changed_flipped_and_deleted(server: LiveServer) -> None:
    """The endpoints must work together, and for one user only (SC-001, SC-002)."""
    with server.client("walker") as client, server.client("stranger") as other:
        create(other, "stranger")
        task = create(client, "walker", description="kept")
        path = f"/api/walker/tasks/{task['id']}"

        listed = client.get("/api/walker/tasks").json()
        read = client.get(path).json()
        changed = client.put(path, json={"title": "Buy oat milk"}).json()
        flipped = client.patch(f"{path}/complete").json()
        ended = [client.delete(path).status_code, client.get(path).status_code]

    assert (list(task), [read], listed) == (FIELDS, listed, [task])
    assert flipped == {
        **task,
        "title": "Buy oat milk",
        "completed": True,
        "updated_at": flipped["updated_at"],
    }
    assert task["created_at"] == task["updated_at"] < changed["updated_at"] < flipped["updated_at"]
    assert ended == [204, 404]


def test_head_answers_the_headers_of_get_without_a_body(server: LiveServer) -> None:
    """HEAD must work wherever GET does (contract.md "Six endpoints, one alias …")."""
    for path in ("/api/header/tasks", "/health", "/nowhere"):
        head = server.exchange(request_bytes("HEAD", path, bearer("header")))
        get = server.exchange(request_bytes("GET", path, bearer("header")))

        length = len(get.partition(b"\r\n\r\n")[2])
        assert f"\r\nContent-Length: {length}\r\n".encode() in head, path
        assert head.partition(b"\r\n\r\n")[2] == b"", path


def test_204_has_neither_a_body_nor_a_length(server: LiveServer) -> None:
    """A deleted task must leave nothing to read (RFC 9110 §8.6)."""
    with server.client("deleter") as client:
        task = create(client, "deleter")

    path = f"/api/deleter/tasks/{task['id']}"
    answer = server.exchange(request_bytes("DELETE", path, bearer("deleter")))

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length" not in answer.lower()
    assert b"transfer-encoding" not in answer.lower()


def test_no_path_is_ever_redirected(server: LiveServer) -> None:
    """A redirect would lose the body or the token (contract.md "Six endpoints, one alias …")."""
    expected = {
        ("GET", "/"): 200,
        ("GET", "/health/ready/"): 200,
        ("GET", "/api"): 404,
        ("GET", "/api/slasher/tasks/"): 200,
        ("POST", "/api/slasher/tasks/"): 400,
        ("GET", "/api/slasher/tasks//"): 404,
        ("GET", "/api//tasks"): 404,
        ("GET", "//api/slasher/tasks"): 404,
        ("GET", "//elsewhere.example/api/slasher/tasks"): 404,
        ("PATCH", "/api/slasher/tasks/1/complete/"): 404,
        ("GET", "/health/"): 200,
        ("GET", "/health//"): 404,
    }
    headers = (bearer("slasher"), "X-Forwarded-Proto: https")

    answers = {sent: server.exchange(request_bytes(*sent, *headers)) for sent in expected}

    assert {sent: status_of(answer) for sent, answer in answers.items()} == expected
    assert [sent for sent, answer in answers.items() if b"\r\nlocation:" in answer.lower()] == []
    json_type = b"\r\nContent-Type: application/json\r\n"
    assert [sent for sent, answer in answers.items() if json_type not in answer] == []


def test_a_path_means_the_same_before_and_after_it_is_decoded(server: LiveServer) -> None:
    """The user's id must be decoded once, as UTF-8 (contract.md "Six endpoints, one alias …")."""
    expected = {
        ("/api/alice%2Ftasks", "alice"): 404,
        ("/api%2falice/tasks", "alice"): 404,
        ("/api/a%2Fb/tasks", "a/b"): 404,
        ("/api/%FF/tasks", "%FF"): 404,
        ("/api/%C0%AF/tasks", "%C0%AF"): 404,
        ("/api/a%252Fb/tasks", "a%2Fb"): 200,
        ("/api/Zo%C3%AB/tasks", "Zoë"): 200,
    }

    answers = {
        (target, user_id): server.exchange(request_bytes("GET", target, bearer(user_id)))
        for target, user_id in expected
    }

    not_found = b'{"detail":"Not Found","error":"Not Found"}'
    assert {sent: status_of(answer) for sent, answer in answers.items()} == expected
    assert {answer.endswith(not_found) for answer in list(answers.values())[:5]} == {True}


def test_a_bad_host_is_refused_as_json(server: LiveServer) -> None:
    """A Host that is no name must be a 400 (contract.md "Errors")."""
    answer = server.exchange(b"GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"detail":"Bad Request","error":"Bad Request"}')


def test_two_authorization_headers_are_refused(server: LiveServer) -> None:
    """Of two tokens neither must open anything (contract.md "Who may come in")."""
    answer = server.exchange(
        request_bytes("GET", "/api/twice/tasks", bearer("twice"), bearer("twice"))
    )

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_what_a_client_says_of_a_proxy_changes_nothing(server: LiveServer) -> None:
    """Nobody but a trusted proxy speaks for the connection (TRUST_PROXY is false)."""
    claims = (
        "X-Forwarded-Proto: https",
        "X-Forwarded-Protocol: ssl",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Host: elsewhere.example",
        "X-Forwarded-For: 203.0.113.7",
        "Script-Name: /api",
        "X-HTTP-Method-Override: DELETE",
    )
    headers = (bearer("proxied"), "X-Request-ID: same")

    def answered(*claim: str) -> list[bytes]:
        answer = server.exchange(request_bytes("GET", "/api/proxied/tasks", *claim, *headers))
        return [line for line in answer.split(b"\r\n") if not line.startswith(b"Date:")]

    assert {claim: answered(claim) for claim in claims} == dict.fromkeys(claims, answered())
