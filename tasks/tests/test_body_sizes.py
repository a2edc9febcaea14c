"""The size limit of request bodies. The server's own part is in ``test_server_bodies.py``."""

import json
from io import BytesIO
from typing import Any

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


def announced(length: int, stream: BytesIO) -> dict[str, Any]:
    """Return the WSGI environment for a body of this length, of which the stream may lack some."""
    return {"CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(length), "wsgi.input": stream}


UNREAD = announced(1_000_000, BytesIO())  # a 400 if it were read
LARGEST = of_size(LIMIT_BYTES)


@pytest.mark.parametrize("body", [TASK, LARGEST], ids=["small", "64 KiB"])
def test_a_body_of_64_kib_is_accepted(
    alice: ApiClient, target: tuple[str, str], body: bytes
) -> None:
    """A body up to and including the limit must be accepted (docs/contract.md, "Errors")."""
    response = alice.generic(*target, body, JSON)

    assert response.status_code in (200, 201)
    assert response.json()["title"] == "Buy milk"


def test_a_body_over_the_limit_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """A larger body must be a 413, and must not be read (docs/contract.md, "Errors")."""
    before = rows()
    responses = [
        alice.generic(*target, of_size(LIMIT_BYTES + 1), JSON),
        alice.generic(*target, **UNREAD),
    ]

    assert [(response.status_code, response.json()) for response in responses] == [
        (413, TOO_LARGE)
    ] * 2
    assert rows() == before


def test_an_incomplete_body_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """An incomplete body must be a 400, even if the part received is valid JSON (RFC 9112 §8)."""
    before = rows()
    reasons = {
        "the body is empty": announced(0, BytesIO()),
        "the body is incomplete": announced(50, BytesIO(TASK)),
    }

    for reason, environ in reasons.items():
        response = alice.generic(*target, **environ)
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
            client.generic(*target, **UNREAD).status_code,
            client.generic(*target, of_size(LIMIT_BYTES + 1), "text/plain").status_code,
        ]

    assert statuses(bob) == [403, 403]
    assert statuses(anonymous) == [401, 401]
    assert rows() == before


def test_a_body_is_not_read_for_a_wrong_method(alice: ApiClient) -> None:
    """405 must precede 413, 415 and 400 (docs/contract.md, "Authentication")."""
    response = alice.generic("POST", "/api/alice/tasks/5", **UNREAD)

    assert response.status_code == 405


def test_other_methods_read_no_body(alice: ApiClient) -> None:
    """Methods that take no body must ignore one, whatever its size (docs/contract.md, "Errors")."""
    calls = [row for row in ENDPOINTS if row.body is None]
    calls += [row._replace(method="HEAD") for row in calls if row.method == "GET"]

    def status(row: Endpoint) -> int:
        path = row.path.format(user="alice", task=TaskFactory.create().id)
        return alice.generic(row.method, path, **UNREAD).status_code

    assert {repr(row): status(row) for row in calls} == {repr(row): row.owner for row in calls}
