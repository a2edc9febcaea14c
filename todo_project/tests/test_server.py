"""The contract over HTTP, against gunicorn with only the plan's four variables."""

from typing import Any

import httpx

from conftest import mint
from todo_project.tests.live_server import LiveServer

FIELDS = ["id", "user_id", "title", "description", "completed", "created_at", "updated_at"]


def create(client: httpx.Client, user_id: str, **fields: Any) -> dict[str, Any]:
    """Create a task and return it."""
    response = client.post(f"/api/{user_id}/tasks", json={"title": "Buy milk", **fields})
    assert response.status_code == 201, response.text
    task: dict[str, Any] = response.json()
    return task


def request_bytes(method: str, target: str, *headers: str) -> bytes:
    """Return a raw request that no client library has normalised."""
    lines = (f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers)
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def bearer(user_id: str) -> str:
    """Return the Authorization header for a user."""
    return f"Authorization: Bearer {mint(user_id)}"


def status_of(response: bytes) -> int:
    """Return the status of a raw response."""
    return int(response.split(b" ", 2)[1])


def test_a_task_can_be_created_read_changed_flipped_and_deleted(server: LiveServer) -> None:
    """The endpoints must work together, and list only the user's own tasks (SC-001, SC-002)."""
    with server.client("walker") as client, server.client("stranger") as other:
        create(other, "stranger")
        task = create(client, "walker", description="kept")
        path = f"/api/walker/tasks/{task['id']}"

        listed = client.get("/api/walker/tasks").json()
        read = client.get(path).json()
        changed = client.put(path, json={"title": "Buy oat milk"}).json()
        flipped = client.patch(f"{path}/complete").json()
        deleted = [client.delete(path).status_code, client.get(path).status_code]

    assert (list(task), [read], listed) == (FIELDS, listed, [task])
    assert flipped == {
        **task,
        "title": "Buy oat milk",
        "completed": True,
        "updated_at": flipped["updated_at"],
    }
    assert task["created_at"] == task["updated_at"] < changed["updated_at"] < flipped["updated_at"]
    assert deleted == [204, 404]


def test_head_has_the_headers_of_get_without_a_body(server: LiveServer) -> None:
    """HEAD must work wherever GET does (docs/contract.md, "Six endpoints and a health check")."""
    for path in ("/api/header/tasks", "/health", "/nowhere"):
        head = server.exchange(request_bytes("HEAD", path, bearer("header")))
        get = server.exchange(request_bytes("GET", path, bearer("header")))

        length = len(get.partition(b"\r\n\r\n")[2])
        assert f"\r\nContent-Length: {length}\r\n".encode() in head, path
        assert head.partition(b"\r\n\r\n")[2] == b"", path


def test_a_204_has_neither_a_body_nor_a_length(server: LiveServer) -> None:
    """A 204 must have neither content nor a length (RFC 9110 §8.6)."""
    with server.client("deleter") as client:
        task = create(client, "deleter")

    path = f"/api/deleter/tasks/{task['id']}"
    response = server.exchange(request_bytes("DELETE", path, bearer("deleter")))

    assert response.startswith(b"HTTP/1.1 204 ")
    assert response.endswith(b"\r\n\r\n")
    assert b"content-length" not in response.lower()
    assert b"transfer-encoding" not in response.lower()


def test_no_path_is_ever_redirected(server: LiveServer) -> None:
    """No path may redirect, because the client would lose the body or the token.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
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

    responses = {sent: server.exchange(request_bytes(*sent, *headers)) for sent in expected}

    assert {sent: status_of(response) for sent, response in responses.items()} == expected
    assert [
        sent for sent, response in responses.items() if b"\r\nlocation:" in response.lower()
    ] == []
    json_type = b"\r\nContent-Type: application/json\r\n"
    assert [sent for sent, response in responses.items() if json_type not in response] == []


def test_a_path_is_decoded_once(server: LiveServer) -> None:
    """The user id must be decoded once (docs/contract.md, "Six endpoints and a health check")."""
    expected = {
        ("/api/alice%2Ftasks", "alice"): 404,
        ("/api%2falice/tasks", "alice"): 404,
        ("/api/a%2Fb/tasks", "a/b"): 404,
        ("/api/%FF/tasks", "%FF"): 404,
        ("/api/%C0%AF/tasks", "%C0%AF"): 404,
        ("/api/a%252Fb/tasks", "a%2Fb"): 200,
        ("/api/Zo%C3%AB/tasks", "Zoë"): 200,
    }

    responses = {
        (target, user_id): server.exchange(request_bytes("GET", target, bearer(user_id)))
        for target, user_id in expected
    }

    not_found = b'{"detail":"Not Found","error":"Not Found"}'
    assert {sent: status_of(response) for sent, response in responses.items()} == expected
    assert {response.endswith(not_found) for response in list(responses.values())[:5]} == {True}


def test_a_malformed_host_is_refused_with_json(server: LiveServer) -> None:
    """A malformed Host must cause a 400 (docs/contract.md, "Errors")."""
    response = server.exchange(b"GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")

    assert response.startswith(b"HTTP/1.1 400 ")
    assert response.endswith(b'{"detail":"Bad Request","error":"Bad Request"}')


def test_two_authorization_headers_are_refused(server: LiveServer) -> None:
    """Two Authorization headers must cause a 401 (docs/contract.md, "Authentication")."""
    response = server.exchange(
        request_bytes("GET", "/api/twice/tasks", bearer("twice"), bearer("twice"))
    )

    assert response.startswith(b"HTTP/1.1 401 ")


def test_forwarded_headers_of_a_client_change_nothing(server: LiveServer) -> None:
    """Without TRUST_PROXY, no header that claims another client, path or method may be honoured."""
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

    def response(*claim: str) -> list[bytes]:
        lines = server.exchange(request_bytes("GET", "/api/proxied/tasks", *claim, *headers))
        return [line for line in lines.split(b"\r\n") if not line.startswith(b"Date:")]

    assert {claim: response(claim) for claim in claims} == dict.fromkeys(claims, response())
