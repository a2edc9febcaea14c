"""How large a body may be, with or without a length, and who reads one at all."""

import json
from io import BytesIO
from typing import Any, NoReturn

import pytest

from conftest import ApiClient
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


def test_a_body_of_64_kib_is_taken(alice: ApiClient, target: tuple[str, str]) -> None:
    """The limit itself must be allowed (contract.md "Errors")."""
    assert alice.generic(*target, of_size(LIMIT_BYTES), JSON).status_code in (200, 201)


def test_a_body_of_one_byte_more_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """More than 64 KiB must be a 413 (contract.md "Errors")."""
    before = rows()

    response = alice.generic(*target, of_size(LIMIT_BYTES + 1), JSON)

    assert response.status_code == 413
    assert response.json() == TOO_LARGE
    assert rows() == before


def test_a_body_that_is_announced_too_large_is_not_read(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """The length must be enough to refuse by."""
    before = rows()
    environ: dict[str, Any] = {"CONTENT_LENGTH": "1000000", "wsgi.input": BrokenStream()}

    response = alice.generic(*target, CONTENT_TYPE=JSON, **environ)

    assert response.status_code == 413
    assert rows() == before


def test_a_chunked_body_is_read(alice: ApiClient, target: tuple[str, str]) -> None:
    """A body without a length must not be dropped without a word (contract.md "Errors")."""
    response = alice.generic(*target, **chunked(BytesIO(TASK)))

    assert response.status_code in (200, 201)
    assert response.json()["title"] == "Buy milk"


def test_a_chunked_body_of_64_kib_is_taken(alice: ApiClient, target: tuple[str, str]) -> None:
    """The limit itself must be allowed, without a length too."""
    response = alice.generic(*target, **chunked(BytesIO(of_size(LIMIT_BYTES))))

    assert response.status_code in (200, 201)


def test_a_chunked_body_of_one_byte_more_is_refused(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """The limit must hold without ``Content-Length``, and no more than needed be read."""
    before = rows()
    stream = BytesIO(of_size(10 * LIMIT_BYTES))

    response = alice.generic(*target, **chunked(stream))

    assert response.json() == TOO_LARGE
    assert stream.tell() == LIMIT_BYTES + 1
    assert rows() == before


def test_an_empty_chunked_body_is_refused(alice: ApiClient, target: tuple[str, str]) -> None:
    """No chunk at all must be an empty body."""
    before = rows()

    response = alice.generic(*target, **chunked(BytesIO()))

    assert response.status_code == 400
    assert rows() == before


def test_a_chunked_body_that_breaks_off_is_refused(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """A chunk that cannot be read must be a 400, no fault of ours (contract.md "Errors")."""
    before = rows()

    response = alice.generic(*target, **chunked(BrokenStream()))

    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error")
    assert rows() == before


def test_a_body_is_not_read_for_a_stranger(bob: ApiClient, target: tuple[str, str]) -> None:
    """403 must come before 413, 415 and 400 (contract.md "Who may come in")."""
    before = rows()

    response = bob.generic(*target, **chunked(BrokenStream()))

    assert response.status_code == 403
    assert rows() == before


def test_a_body_is_not_read_without_a_token(anybody: ApiClient, target: tuple[str, str]) -> None:
    """401 must come before 413, 415 and 400 (contract.md "Who may come in")."""
    before = rows()

    response = anybody.generic(*target, of_size(LIMIT_BYTES + 1), "text/plain")

    assert response.status_code == 401
    assert rows() == before


def test_a_body_is_not_read_for_a_wrong_method(alice: ApiClient) -> None:
    """405 must come before 413, 415 and 400 (contract.md "Who may come in")."""
    response = alice.generic("POST", "/api/alice/tasks/5", **chunked(BrokenStream()))

    assert response.status_code == 405


@pytest.mark.parametrize(
    ("method", "suffix", "status"),
    [("GET", "", 200), ("HEAD", "", 200), ("DELETE", "", 204), ("PATCH", "/complete", 200)],
)
@pytest.mark.parametrize(
    "environ",
    [chunked(BrokenStream()), {"CONTENT_LENGTH": "1000000", "wsgi.input": BrokenStream()}],
    ids=["chunked", "with a length"],
)
def test_other_methods_read_no_body(
    alice: ApiClient, method: str, suffix: str, status: int, environ: dict[str, Any]
) -> None:
    """A body that nobody asked for must be left unread (contract.md "Errors")."""
    task = TaskFactory.create()

    response = alice.generic(method, f"/api/alice/tasks/{task.id}{suffix}", **environ)

    assert response.status_code == status


def test_a_body_that_ends_before_its_length_is_refused(
    alice: ApiClient, target: tuple[str, str]
) -> None:
    """A request that was cut off must change nothing, though it reads well (RFC 9112 §8)."""
    before = rows()
    cut_off: dict[str, Any] = {
        "CONTENT_TYPE": JSON,
        "CONTENT_LENGTH": "50",
        "wsgi.input": BytesIO(TASK),
    }

    response = alice.generic(*target, **cut_off)

    assert response.status_code == 400
    assert response.json()["detail"] == "JSON parse error - the body is incomplete"
    assert rows() == before
