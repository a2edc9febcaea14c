"""The contract over HTTP, against gunicorn, with nothing but the plan's four variables."""

import uuid
from typing import Any

import httpx
import pytest

from conftest import SECRET, mint
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


def test_a_created_task_is_answered_with_the_seven_keys_in_order(server: LiveServer) -> None:
    """POST must answer with the whole task (contract.md "A task")."""
    with server.client("creator") as client:
        task = create(client, "creator", description="2 litres")

    assert list(task) == FIELDS
    assert (task["user_id"], task["title"], task["description"], task["completed"]) == (
        "creator",
        "Buy milk",
        "2 litres",
        False,
    )
    assert task["created_at"] == task["updated_at"]


def test_a_created_task_is_in_its_users_list_at_once_and_in_no_other(server: LiveServer) -> None:
    """A list must hold what was created, oldest first, of its own user only (SC-001, SC-002)."""
    with server.client("lister") as client, server.client("stranger") as other:
        create(other, "stranger")
        tasks = [create(client, "lister", title=title) for title in ("one", "two", "three")]

        assert client.get("/api/lister/tasks").json() == tasks


def test_a_task_can_be_read_changed_flipped_and_deleted(server: LiveServer) -> None:
    """The four endpoints of one task must work together (contract.md "Six endpoints")."""
    with server.client("walker") as client:
        task = create(client, "walker", description="kept")
        path = f"/api/walker/tasks/{task['id']}"

        read = client.get(path)
        changed = client.put(path, json={"title": "Buy oat milk"})
        flipped = client.patch(f"{path}/complete")
        deleted = client.delete(path)
        gone = client.get(path)

    assert [read.status_code, changed.status_code, flipped.status_code] == [200, 200, 200]
    assert read.json() == task
    assert flipped.json() == {
        **task,
        "title": "Buy oat milk",
        "completed": True,
        "updated_at": flipped.json()["updated_at"],
    }
    assert task["updated_at"] < changed.json()["updated_at"] < flipped.json()["updated_at"]
    assert (deleted.status_code, gone.status_code) == (204, 404)


def test_health_needs_no_token(server: LiveServer) -> None:
    """A platform must be able to ask whether the process is alive."""
    with server.client() as client:
        answer = client.get("/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")


@pytest.mark.parametrize("path", ["/api/header/tasks", "/health", "/nowhere"])
def test_head_answers_the_headers_of_get_without_a_body(server: LiveServer, path: str) -> None:
    """HEAD must work wherever GET does (contract.md "Six endpoints and a health check")."""
    head = server.exchange(request_bytes("HEAD", path, bearer("header")))
    get = server.exchange(request_bytes("GET", path, bearer("header")))

    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1
    length = get.partition(b"\r\n\r\n")[2]
    assert f"\r\nContent-Length: {len(length)}\r\n".encode() in head


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


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/health/ready/", 200),
        ("GET", "/api", 404),
        ("GET", "/api/slasher/tasks/", 200),
        ("POST", "/api/slasher/tasks/", 400),
        ("GET", "/api/slasher/tasks//", 404),
        ("GET", "/api//tasks", 404),
        ("GET", "//api/slasher/tasks", 404),
        ("GET", "//elsewhere.example/api/slasher/tasks", 404),
        ("PATCH", "/api/slasher/tasks/1/complete/", 404),
        ("GET", "/health/", 200),
        ("GET", "/health//", 404),
    ],
)
def test_no_path_is_ever_redirected(
    server: LiveServer, method: str, path: str, status: int
) -> None:
    """A redirect would lose the body or the token (contract.md "Six endpoints")."""
    answer = server.exchange(
        request_bytes(method, path, bearer("slasher"), "X-Forwarded-Proto: https")
    )

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nlocation:" not in answer.lower()
    assert b"\r\nContent-Type: application/json\r\n" in answer


@pytest.mark.parametrize(
    ("target", "user_id"),
    [
        ("/api/alice%2Ftasks", "alice"),
        ("/api%2falice/tasks", "alice"),
        ("/api/a%2Fb/tasks", "a/b"),
        ("/api/%FF/tasks", "%FF"),
        ("/api/%C0%AF/tasks", "%C0%AF"),
    ],
)
def test_a_path_that_only_decoding_makes_one_of_ours_is_missing(
    server: LiveServer, target: str, user_id: str
) -> None:
    """A path must mean the same before and after it is decoded (contract.md "Six endpoints")."""
    answer = server.exchange(request_bytes("GET", target, bearer(user_id)))

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.endswith(b'{"detail":"Not Found","error":"Not Found"}')


@pytest.mark.parametrize(
    ("target", "user_id"), [("/api/a%252Fb/tasks", "a%2Fb"), ("/api/Zo%C3%AB/tasks", "Zoë")]
)
def test_a_user_id_is_decoded_once_as_utf_8(server: LiveServer, target: str, user_id: str) -> None:
    """The path's user must be decoded once (contract.md "Six endpoints and a health check")."""
    answer = server.exchange(request_bytes("GET", target, bearer(user_id)))

    assert answer.startswith(b"HTTP/1.1 200 ")


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


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Protocol: ssl",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Host: elsewhere.example",
        "X-Forwarded-For: 203.0.113.7",
        "Script-Name: /api",
        "X-HTTP-Method-Override: DELETE",
    ],
)
def test_what_a_client_says_of_a_proxy_changes_nothing(server: LiveServer, header: str) -> None:
    """Nobody but a trusted proxy speaks for the connection (TRUST_PROXY is false)."""
    plain = request_bytes("GET", "/api/proxied/tasks", bearer("proxied"), "X-Request-ID: same")
    claimed = plain.replace(b"X-Request-ID", f"{header}\r\nX-Request-ID".encode())

    def without_date(answer: bytes) -> list[bytes]:
        return [line for line in answer.split(b"\r\n") if not line.startswith(b"Date:")]

    assert plain.count(b"X-Request-ID") == 1
    assert without_date(server.exchange(claimed)) == without_date(server.exchange(plain))


def test_an_underscore_header_cannot_pose_as_the_servers_own(server: LiveServer) -> None:
    """``SCRIPT_NAME`` from a client must not move the routes."""
    answer = server.exchange(
        request_bytes("GET", "/api/mover/tasks", bearer("mover"), "SCRIPT_NAME: /api")
    )

    # gunicorn may drop such a header, or refuse the request before the application sees it
    assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))


def test_the_log_holds_no_token_and_no_secret(server: LiveServer) -> None:
    """Whatever is sent, accepted or refused, must not be logged (FR-017, SC-009)."""
    expired, foreign = mint("logged", exp=1), mint("logged", secret=uuid.uuid4().hex)
    tokens = [mint("logged"), expired, foreign]
    with server.client() as client:
        for token in tokens:
            client.get("/api/logged/tasks", headers={"Authorization": f"Bearer {token}"})
        client.get(f"/api/logged/tasks?token={tokens[0]}")

    assert server.log_has('"reason":"expired"')
    assert SECRET not in server.log
    assert not [token for token in tokens if token.rpartition(".")[2] in server.log]
