"""Path segments that are not task ids."""

from itertools import product
from typing import Any

import pytest

from conftest import ApiClient
from tasks.tests.endpoints import ON_ONE_TASK, Endpoint
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

INVALID_IDS = [
    *("abc", "0", "-1", "+5", "007", "5.0", "5e0", "0x5", "1_0", "5abc", "None", "complete"),
    *("%205", "5%20", "5%0A", "%0A5", "5%00", "%00", "5%09", "..", "5;x=1", "5'--"),
    "%D9%A5",  # ARABIC-INDIC DIGIT FIVE
    "%EF%BC%95",  # FULLWIDTH DIGIT FIVE
    "5%E0%A5%AB",  # 5 and DEVANAGARI DIGIT FIVE
    "%C2%B2",  # SUPERSCRIPT TWO
    "%F0%9D%9F%93",  # MATHEMATICAL BOLD DIGIT FIVE
    str(2**63 - 1),  # valid, but no task has it
    *(str(2**63), str(2**64), "9" * 19, "1" * 5000),
]
NOT_FOUND = {"detail": "Task not found", "error": "Task not found"}

# an endpoint, and the segment
Call = tuple[Endpoint, str]


def test_an_invalid_id_is_a_missing_task(alice: ApiClient) -> None:
    """An invalid id must be a 404 (docs/contract.md, "Six endpoints and a health check")."""
    for lookalike in (1, 5, 7, 10, 55):
        TaskFactory.create(id=lookalike)
    before = rows()

    def outcome(call: Call) -> Any:
        endpoint, task_id = call
        response = endpoint.send(alice, "alice", task_id)
        return response.status_code, response.json(), rows()

    assert wrong_rows(product(ON_ONE_TASK, INVALID_IDS), outcome, (404, NOT_FOUND, before)) == []


def test_the_body_is_checked_before_the_id(alice: ApiClient) -> None:
    """422 must precede 404 for an invalid id (docs/contract.md, "Authentication")."""

    def status(task_id: str) -> Any:
        return alice.send("PUT", f"/api/alice/tasks/{task_id}", {"title": 1}).status_code

    assert wrong_rows(INVALID_IDS, status, 422) == []


@pytest.mark.parametrize(("user", "refusal"), [("bob", 403), ("anonymous", 401)])
def test_the_caller_is_checked_before_the_id(
    user: str, refusal: int, request: pytest.FixtureRequest
) -> None:
    """401 and 403 must precede 404 (docs/contract.md, "Authentication")."""
    client: ApiClient = request.getfixturevalue(user)
    TaskFactory.create(id=5)
    before = rows()

    def outcome(call: Call) -> Any:
        endpoint, task_id = call
        return endpoint.send(client, "alice", task_id).status_code, rows()

    calls = product(ON_ONE_TASK, ["abc", "0", "5%0A", str(2**63)])
    assert wrong_rows(calls, outcome, (refusal, before)) == []


def test_the_method_is_checked_before_the_id(alice: ApiClient) -> None:
    """405 must precede 404 (docs/contract.md, "Authentication")."""
    assert alice.send("POST", "/api/alice/tasks/abc", {"title": "New"}).status_code == 405


def test_the_largest_id_is_valid(alice: ApiClient) -> None:
    """The largest 64-bit id must be valid (FR-009)."""
    TaskFactory.create(id=2**63 - 1)

    assert alice.send("GET", f"/api/alice/tasks/{2**63 - 1}").json()["id"] == 2**63 - 1


def test_digits_may_be_percent_encoded(alice: ApiClient) -> None:
    """%35 must be decoded to 5 (RFC 3986 §6.2.2.2)."""
    TaskFactory.create(id=5)

    assert alice.send("GET", "/api/alice/tasks/%35").status_code == 200
