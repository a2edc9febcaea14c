"""How large a body may be, with or without a length, and who reads one at all."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, NoReturn

import pytest

from conftest import ApiClient
from tasks.tests.endpoints import ENDPOINTS, Endpoint
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

LIMIT_BYTES = 64 * 1024
JSON = "application/json"
TASK = b'{"title": "Buy milk"}'
TOO_LARGE = {"detail": "Request body too large", "error": "Request body too large"}


def of_size(size: int) -> bytes:
    """Make a valid body of so many bytes, most of them in a field that is ignored."""
    body = json.dumps({"title": "Buy milk", "padding": ""}).encode()
    return body.replace(b'""', b'"' + b"x" * (size - len(body)) + b'"')


class BrokenStream(BytesIO):
    """A connection that breaks before the body has come."""

    def read(self, size: int | None = -1) -> NoReturn:
        """Fail as a server's stream does, each with an error of its own."""
        raise RuntimeError("the client has gone")


def chunked(stream: BytesIO) -> dict[str, Any]:
    """Describe a chunked body as gunicorn does: no length, and a stream that ends by itself."""
    return {"CONTENT_TYPE": JSON, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": stream}


def announced(length: int, stream: BytesIO) -> dict[str, Any]:
    """Describe a body with a length, which the stream need not have."""
    return {"CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(length), "wsgi.input": stream}


LARGEST = of_size(LIMIT_BYTES)


@pytest.mark.parametrize("body", [TASK, LARGEST], ids=["small", "64 KiB"])
def test_a_body_of_at_most_64_kib_is_taken_with_a_length_and_without(
    alice: ApiClient, target: tuple[str, str], body: bytes
) -> None:
    """The limit must be allowed, and no body without a length be dropped (contract.md "Errors")."""
    with_length = alice.generic(*target, body, JSON)
    without = alice.generic(*target, **chunked(BytesIO(body.replace(b"milk", b"wine"))))

    assert {with_length.status_code, without.status_code} <= {200, 201}
    assert (with_length.json()["title"], without.json()["title"]) == ("Buy milk", "Buy wine")


def test_a_body_of_one_byte_more_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """More than 64 KiB must be a 413, and no more than needed be read (contract.md "Errors")."""
    stream, before = BytesIO(of_size(10 * LIMIT_BYTES)), rows()
    answers = [
        alice.generic(*target, of_size(LIMIT_BYTES + 1), JSON),
        alice.generic(*target, **announced(1_000_000, BrokenStream())),  # which is not read
        alice.generic(*target, **chunked(stream)),
    ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(413, TOO_LARGE)] * 3
    assert stream.tell() == LIMIT_BYTES + 1
    assert rows() == before


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (lambda: chunked(BytesIO()), "the body is empty"),
        (lambda: chunked(BrokenStream()), "the body cannot be read"),
        (lambda: announced(50, BytesIO(TASK)), "the body is incomplete"),
    ],
    ids=["no chunk", "a broken chunk", "cut off"],
)
def test_a_body_that_breaks_off_is_refused(
    alice: ApiClient, target: tuple[str, str], environ: Callable[[], dict[str, Any]], reason: str
) -> None:
    """It must be a 400, no fault of ours, though what came reads well (RFC 9112 §8)."""
    before = rows()

    response = alice.generic(*target, **environ())

    assert response.status_code == 400
    assert response.json()["detail"] == f"JSON parse error - {reason}"
    assert rows() == before


def test_a_body_is_not_read_for_a_stranger(
    bob: ApiClient, anybody: ApiClient, target: tuple[str, str]
) -> None:
    """401 and 403 must come before 413, 415 and 400 (contract.md "Who may come in")."""
    before = rows()

    def statuses(client: ApiClient) -> list[int]:
        return [
            client.generic(*target, **chunked(BrokenStream())).status_code,
            client.generic(*target, of_size(LIMIT_BYTES + 1), "text/plain").status_code,
        ]

    assert statuses(bob) == [403, 403]
    assert statuses(anybody) == [401, 401]
    assert rows() == before


def test_a_body_is_not_read_for_a_wrong_method(alice: ApiClient) -> None:
    """405 must come before 413, 415 and 400 (contract.md "Who may come in")."""
    response = alice.generic("POST", "/api/alice/tasks/5", **chunked(BrokenStream()))

    assert response.status_code == 405


@pytest.mark.parametrize(
    "environ",
    [chunked(BrokenStream()), announced(1_000_000, BrokenStream())],
    ids=["chunked", "with a length"],
)
def test_other_methods_read_no_body(alice: ApiClient, environ: dict[str, Any]) -> None:
    """A body that nobody asked for must be left unread (contract.md "Errors")."""
    calls = [row for row in ENDPOINTS if row.body is None]
    calls += [row._replace(method="HEAD") for row in calls if row.method == "GET"]

    def status(row: Endpoint) -> int:
        path = row.path.format(user="alice", task=TaskFactory.create().id)
        return alice.generic(row.method, path, **environ).status_code

    assert {repr(row): status(row) for row in calls} == {repr(row): row.owner for row in calls}
