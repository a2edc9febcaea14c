"""Naughty texts in every place that takes one, against gunicorn.

Each comes back exactly as it was, or is refused as the contract has it.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from authn.tokens import MAX_USER_ID_LENGTH
from conftest import mint
from tasks.serializers import WHITE_SPACE
from todo_project.tests.live_server import LiveServer
from todo_project.tests.naughty_strings import TEXTS

JSON = {"Content-Type": "application/json"}
TITLE = "/api/naughty/tasks"


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """Sign somebody in."""
    with server.client("naughty") as client:
        yield client


def check(answer: httpx.Response, *statuses: int) -> Any:
    """Check what every answer must have, and return its body."""
    assert answer.status_code in statuses, (answer.status_code, answer.content)
    assert "X-Request-ID" in answer.headers
    assert answer.headers["Vary"].lower() == "origin"
    body = answer.json()
    if answer.is_error:
        assert list(body) == ["detail", "error"]
        assert isinstance(body["error"], str)
    return body


def is_storable(text: str) -> bool:
    """Tell whether a text has neither NUL nor a lone surrogate."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@pytest.mark.each_database
@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "raw"])
def test_a_text_in_a_task_comes_back_as_it_was(client: httpx.Client, escaped: bool) -> None:
    """Nothing must be trimmed, escaped or normalised (contract.md "A task")."""
    path = f"{TITLE}/{client.post(TITLE, json={'title': 'x'}).json()['id']}"
    for text in TEXTS:
        for field, limit in (("title", 200), ("description", 1000)):
            body = {"title": "x", field: text}
            content = json.dumps(body, ensure_ascii=escaped).encode(errors="surrogatepass")
            is_text = escaped or is_storable(text.replace("\0", ""))  # surrogates are no UTF-8
            is_good = (
                is_storable(text)
                and len(text) <= limit
                and (field == "description" or text.strip(WHITE_SPACE) != "")
            )
            bad = 422 if is_text else 400

            created = client.post(TITLE, content=content, headers=JSON)
            updated = client.put(path, content=content, headers=JSON)

            for answer, status in ((created, 201), (updated, 200)):
                shown = check(answer, status if is_good else bad)
                assert not is_good or shown[field] == text
    assert {task["title"] for task in client.get(TITLE).json()} >= {"\ufeff", "\\u0000", "x" * 200}


def test_a_text_in_a_query_is_taken_or_refused(client: httpx.Client) -> None:
    """An option must be taken as it is meant, or be a 422."""
    check(client.post(TITLE, json={"title": "x"}), 201)
    for text in TEXTS:
        value = quote(text.encode(errors="surrogatepass"))
        for option in ("search", "unknown", value[:2000]):
            check(client.get(f"{TITLE}?limit=3&{option}={value}"[:8000]), 200)
        for option in ("completed", "ordering", "limit", "cursor"):
            is_good = (option, text) == ("completed", "true")
            check(client.get(f"{TITLE}?{option}={value}"[:8000]), 200 if is_good else 422)


def test_a_text_in_a_path_is_somebodys_id_or_is_refused(server: LiveServer) -> None:
    """A user's id must be compared exactly (contract.md "Six endpoints, one alias …")."""
    # a client resolves the first two, and the server's request line has no room for the third
    for text in set(TEXTS) - {".", "..", "\U0001f4a9" * 1001}:
        segment = quote(text.encode(errors="surrogatepass"), safe="")
        is_good = is_storable(text) and 0 < len(text) <= MAX_USER_ID_LENGTH
        with server.client(text if is_good else "naughty") as client:
            url = httpx.URL(server.address, raw_path=f"/api/{segment}/tasks".encode())
            answer = client.request("POST", url, json={"title": "x"})
            if is_good and "/" not in text:
                task = check(answer, 201)
                assert task["user_id"] == text
                assert client.get(url).json()[-1:] == [task]
            else:
                check(answer, 403, 404)
            naughty = httpx.URL(server.address, raw_path=f"{TITLE}/{segment}".encode())
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
def test_a_text_in_a_header_is_taken_or_refused(
    server: LiveServer, client: httpx.Client, name: str
) -> None:
    """No header must be a fault of ours; what is no header's value the server itself refuses."""
    method, statuses = HEADERS[name]
    created = client.post(TITLE, json={"title": "kept"}).json()
    path = f"{TITLE}/{created['id']}"
    for text in TEXTS:
        answer = send(server, method, TITLE if method == "POST" else path, name, text)

        if "X-Request-ID" in answer.headers:
            check(answer, *statuses)
        else:
            assert answer.status_code == 400
    assert client.get(path).json() == created


def test_a_text_as_a_key_makes_one_task_or_none(server: LiveServer) -> None:
    """A key must be 1 to 255 printable ASCII characters (contract.md "What goes beyond …")."""
    one_line = [text for text in TEXTS if not {"\r", "\n"} & set(text)]  # else it ends the header
    for number, text in enumerate(one_line):
        user = f"keyed-{number}"

        path = f"/api/{user}/tasks"
        first, again = (send(server, "POST", path, "Idempotency-Key", text, user) for _ in range(2))

        with server.client(user) as client:
            tasks = client.get(path).json()
        is_good = text.isascii() and text.isprintable() and 0 < len(text.strip()) <= 255
        if is_good:
            assert [check(first, 201)] == [check(again, 201)] == tasks
        else:
            assert (first.status_code in (400, 422), tasks) == (True, [])


def send(
    server: LiveServer, method: str, path: str, name: str, text: str, user: str = "naughty"
) -> httpx.Response:
    """Send a header as it is, which no well-behaved client would."""
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
