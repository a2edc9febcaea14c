"""The size limit of request bodies, with and without ``Content-Length``."""

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
    """Return a valid body of a given size, padded with an ignored field."""
    body = json.dumps({"title": "Buy milk", "padding": ""}).encode()
    return body.replace(b'""', b'"' + b"x" * (size - len(body)) + b'"')


class BrokenStream(BytesIO):
    """A stream that fails before the body is complete."""

    def read(self, size: int | None = -1) -> NoReturn:
        """Raise an error, as a server's stream does when the client disconnects."""
        raise RuntimeError("the client has gone")


def chunked(stream: BytesIO) -> dict[str, Any]:
    """Return gunicorn's WSGI environment for a chunked body: no length, and a finite stream."""
    return {"CONTENT_TYPE": JSON, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": stream}


def announced(length: int, stream: BytesIO) -> dict[str, Any]:
    """Return the WSGI environment for a body whose ``Content-Length`` may be wrong."""
    return {"CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(length), "wsgi.input": stream}


LARGEST = of_size(LIMIT_BYTES)


@pytest.mark.parametrize("body", [TASK, LARGEST], ids=["small", "64 KiB"])
def test_a_body_of_64_kib_is_accepted_with_and_without_a_length(
    alice: ApiClient, target: tuple[str, str], body: bytes
) -> None:
    """A body up to and including the limit must be accepted (docs/contract.md, "Errors")."""
    with_length = alice.generic(*target, body, JSON)
    without = alice.generic(*target, **chunked(BytesIO(body.replace(b"milk", b"wine"))))

    assert {with_length.status_code, without.status_code} <= {200, 201}
    assert (with_length.json()["title"], without.json()["title"]) == ("Buy milk", "Buy wine")


def test_a_body_over_the_limit_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """A larger body must be a 413, and must not be read to its end (docs/contract.md, "Errors")."""
    stream, before = BytesIO(of_size(10 * LIMIT_BYTES)), rows()
    responses = [
        alice.generic(*target, of_size(LIMIT_BYTES + 1), JSON),
        alice.generic(*target, **announced(1_000_000, BrokenStream())),
        alice.generic(*target, **chunked(stream)),
    ]

    assert [(response.status_code, response.json()) for response in responses] == [
        (413, TOO_LARGE)
    ] * 3
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
def test_an_incomplete_body_is_refused(
    alice: ApiClient, target: tuple[str, str], environ: Callable[[], dict[str, Any]], reason: str
) -> None:
    """An incomplete body must be a 400, even if the part received is valid JSON (RFC 9112 §8)."""
    before = rows()

    response = alice.generic(*target, **environ())

    assert response.status_code == 400
    assert response.json()["detail"] == f"JSON parse error - {reason}"
    assert rows() == before


def test_a_body_is_not_read_without_permission(
    bob: ApiClient, anonymous: ApiClient, target: tuple[str, str]
) -> None:
    """401 and 403 must precede 413, 415 and 400 (docs/contract.md, "Authentication")."""
    before = rows()

    def statuses(client: ApiClient) -> list[int]:
        return [
            client.generic(*target, **chunked(BrokenStream())).status_code,
            client.generic(*target, of_size(LIMIT_BYTES + 1), "text/plain").status_code,
        ]

    assert statuses(bob) == [403, 403]
    assert statuses(anonymous) == [401, 401]
    assert rows() == before


def test_a_body_is_not_read_for_a_wrong_method(alice: ApiClient) -> None:
    """405 must precede 413, 415 and 400 (docs/contract.md, "Authentication")."""
    response = alice.generic("POST", "/api/alice/tasks/5", **chunked(BrokenStream()))

    assert response.status_code == 405


@pytest.mark.parametrize(
    "environ",
    [chunked(BrokenStream()), announced(1_000_000, BrokenStream())],
    ids=["chunked", "with a length"],
)
def test_other_methods_read_no_body(alice: ApiClient, environ: dict[str, Any]) -> None:
    """Methods that take no body must ignore one, whatever its size (docs/contract.md, "Errors")."""
    calls = [row for row in ENDPOINTS if row.body is None]
    calls += [row._replace(method="HEAD") for row in calls if row.method == "GET"]

    def status(row: Endpoint) -> int:
        path = row.path.format(user="alice", task=TaskFactory.create().id)
        return alice.generic(row.method, path, **environ).status_code

    assert {repr(row): status(row) for row in calls} == {repr(row): row.owner for row in calls}
