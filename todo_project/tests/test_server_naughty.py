"""Naughty strings in every input, against gunicorn.

Each must be returned unchanged, or be refused according to the contract.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from authn.tokens import USER_ID_MAX_LENGTH
from conftest import mint
from tasks.list_options import MAX_SEARCH_LENGTH
from tasks.option_aliases import COMPLETED
from tasks.serializers import WHITE_SPACE
from todo_project.tests.live_server import LiveServer
from todo_project.tests.naughty_strings import TEXTS

JSON = {"Content-Type": "application/json"}
TASKS = "/api/naughty/tasks"


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """Open a client with a token."""
    with server.client("naughty") as client:
        yield client


def check(answer: httpx.Response, *statuses: int) -> Any:
    """Check the status and the headers of a response; return its body."""
    assert answer.status_code in statuses, (answer.status_code, answer.content)
    assert "X-Request-ID" in answer.headers
    assert answer.headers["Vary"] == "Origin, Authorization"
    body = answer.json()
    if answer.is_error:
        assert list(body) == ["detail", "error"]
        assert isinstance(body["error"], str)
    return body


def is_storable(text: str) -> bool:
    """Return whether a text contains neither NUL nor a lone surrogate."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@pytest.mark.each_database
@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "raw"])
def test_a_text_in_a_task_is_returned_unchanged(client: httpx.Client, escaped: bool) -> None:
    """Text must not be trimmed, escaped or normalised (docs/contract.md, "A task")."""
    path = f"{TASKS}/{client.post(TASKS, json={'title': 'x'}).json()['id']}"
    for text in TEXTS:
        for field, limit in (("title", 200), ("description", 1000)):
            body = {"title": "x", field: text}
            content = json.dumps(body, ensure_ascii=escaped).encode(errors="surrogatepass")
            is_utf8 = escaped or is_storable(text.replace("\0", ""))
            is_valid = (
                is_storable(text)
                and len(text) <= limit
                and (field == "description" or text.strip(WHITE_SPACE) != "")
            )
            error = 422 if is_utf8 else 400

            created = client.post(TASKS, content=content, headers=JSON)
            updated = client.put(path, content=content, headers=JSON)

            for answer, status in ((created, 201), (updated, 200)):
                task = check(answer, status if is_valid else error)
                assert not is_valid or task[field] == text
    assert {task["title"] for task in client.get(TASKS).json()} >= {"\ufeff", "\\u0000", "x" * 200}


def test_a_text_in_a_query_is_accepted_or_refused(client: httpx.Client) -> None:
    """An option must be accepted or ignored, or get a 422."""
    check(client.post(TASKS, json={"title": "x"}), 201)
    for text in TEXTS:
        value = quote(text.encode(errors="surrogatepass"))
        for option in ("unknown", value[:2000]):
            check(client.get(f"{TASKS}?limit=3&{option}={value}"[:8000]), 200)
        is_short = len(text) <= MAX_SEARCH_LENGTH
        check(client.get(f"{TASKS}?limit=3&search={value}"[:8000]), 200 if is_short else 422)
        for option in ("completed", "ordering", "limit", "cursor"):
            is_valid = option == "completed" and text in {"true", "false", *COMPLETED}
            check(client.get(f"{TASKS}?{option}={value}"[:8000]), 200 if is_valid else 422)


def test_a_text_in_a_path_is_a_user_id_or_refused(server: LiveServer) -> None:
    """A user id must be compared exactly (docs/contract.md, "Six endpoints and a health check")."""
    # Clients resolve the first two, and the third exceeds the limit of the request line.
    for text in set(TEXTS) - {".", "..", "\U0001f4a9" * 1001}:
        segment = quote(text.encode(errors="surrogatepass"), safe="")
        is_valid = is_storable(text) and 0 < len(text) <= USER_ID_MAX_LENGTH
        with server.client(text if is_valid else "naughty") as client:
            url = httpx.URL(server.address, raw_path=f"/api/{segment}/tasks".encode())
            answer = client.request("POST", url, json={"title": "x"})
            if is_valid and "/" not in text:
                task = check(answer, 201)
                assert task["user_id"] == text
                assert client.get(url).json()[-1:] == [task]
            else:
                check(answer, 403, 404)
            naughty = httpx.URL(server.address, raw_path=f"{TASKS}/{segment}".encode())
            with server.client("naughty") as other:
                check(other.get(naughty), 404 if text else 200)


HEADERS = {
    "If-Match": ("DELETE", {412}),
    "Idempotency-Key": ("POST", {201, 422}),
    "Authorization": ("GET", {401}),
    "Content-Type": ("POST", {415}),
    **dict.fromkeys(
        (
            *("If-None-Match", "X-Request-ID", "Origin", "Accept", "Accept-Language", "Cookie"),
            *("X-Forwarded-For", "X-Forwarded-Proto", "X-HTTP-Method-Override"),
        ),
        ("GET", {200}),
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_text_in_a_header_is_accepted_or_refused(
    server: LiveServer, client: httpx.Client, name: str
) -> None:
    """No header may cause a 500; the web server refuses a malformed value."""
    method, statuses = HEADERS[name]
    created = client.post(TASKS, json={"title": "kept"}).json()
    path = f"{TASKS}/{created['id']}"
    for text in TEXTS:
        answer = send(server, method, TASKS if method == "POST" else path, name, text)

        if "X-Request-ID" in answer.headers:
            check(answer, *statuses)
        else:
            assert answer.status_code == 400
    assert client.get(path).json() == created


def test_a_text_as_a_key_creates_one_task_or_none(server: LiveServer) -> None:
    """An idempotency key must have 1 to 255 printable ASCII characters.

    Source: docs/contract.md, "Extensions".
    """
    one_line = [text for text in TEXTS if not {"\r", "\n"} & set(text)]
    for number, text in enumerate(one_line):
        user = f"keyed-{number}"

        path = f"/api/{user}/tasks"
        first, again = (send(server, "POST", path, "Idempotency-Key", text, user) for _ in range(2))

        with server.client(user) as client:
            tasks = client.get(path).json()
        is_valid = text.isascii() and text.isprintable() and 0 < len(text.strip()) <= 255
        if is_valid:
            assert [check(first, 201)] == [check(again, 201)] == tasks
        else:
            assert (first.status_code in (400, 422), tasks) == (True, [])


def send(
    server: LiveServer, method: str, path: str, name: str, text: str, user: str = "naughty"
) -> httpx.Response:
    """Send a request with an unescaped header, which no client library does."""
    fields = {
        "Host": b"localhost",
        "Connection": b"close",
        "Authorization": f"Bearer {mint(user)}".encode(),
        "Content-Type": b"application/json",
        "Content-Length": b"13",
        name: text.encode(errors="surrogatepass"),
    }
    lines = [f"{method} {path} HTTP/1.1".encode()]
    lines += [b"%b: %b" % (field.encode(), value) for field, value in fields.items()]
    received = server.exchange(b"\r\n".join([*lines, b"", b'{"title":"x"}']))
    head, _, content = received.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    pairs = [(key, value.strip()) for key, _, value in (line.partition(b":") for line in headers)]
    return httpx.Response(int(status.split()[1]), headers=pairs, content=content)
