"""What stands for a task's id in a path and is none."""

import pytest

from conftest import ApiClient
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

NO_IDS = [
    "abc",
    "0",
    "-1",
    "+5",
    "007",
    "5.0",
    "5e0",
    "0x5",
    "1_0",
    "5abc",
    "None",
    "complete",
    "%205",
    "5%20",
    "5%0A",
    "%0A5",
    "5%00",
    "%00",
    "5%09",
    "%D9%A5",  # ARABIC-INDIC DIGIT FIVE
    "%EF%BC%95",  # FULLWIDTH DIGIT FIVE
    "5%E0%A5%AB",  # 5 and DEVANAGARI DIGIT FIVE
    "%C2%B2",  # SUPERSCRIPT TWO
    "%F0%9D%9F%93",  # MATHEMATICAL BOLD DIGIT FIVE
    "..",
    "5;x=1",
    "5'--",
    str(2**63 - 1),  # an id, of a task that is not there
    str(2**63),
    str(2**64),
    "9" * 19,
    "1" * 5000,
]

ENDPOINTS = [
    ("GET", "", None),
    ("PUT", "", {"title": "New"}),
    ("DELETE", "", None),
    ("PATCH", "/complete", None),
]

no_id = pytest.mark.parametrize("task_id", NO_IDS, ids=lambda task_id: task_id[:20])
endpoint = pytest.mark.parametrize(
    ("method", "suffix", "body"), ENDPOINTS, ids=[method for method, _, _ in ENDPOINTS]
)


@no_id
@endpoint
def test_what_is_no_id_is_a_missing_task(
    alice: ApiClient, method: str, suffix: str, body: object, task_id: str
) -> None:
    """A bogus id must answer as a task that is not there (contract.md "Six endpoints …")."""
    for lookalike in (1, 5, 7, 10, 55):
        TaskFactory.create(id=lookalike)
    before = rows()

    response = alice.send(method, f"/api/alice/tasks/{task_id}{suffix}", body)

    assert response.status_code == 404
    assert response.json() == {"detail": "Task not found", "error": "Task not found"}
    assert rows() == before


@no_id
def test_a_bad_body_is_found_before_a_bad_id(alice: ApiClient, task_id: str) -> None:
    """422 must come before 404, for what is no id as well (contract.md "Who may come in")."""
    response = alice.send("PUT", f"/api/alice/tasks/{task_id}", {"title": 1})

    assert response.status_code == 422


@endpoint
@pytest.mark.parametrize("task_id", ["abc", "0", "5%0A", str(2**63)])
def test_a_wrong_user_is_found_before_a_bad_id(
    bob: ApiClient, method: str, suffix: str, body: object, task_id: str
) -> None:
    """403 must come before 404, for what is no id as well (contract.md "Who may come in")."""
    TaskFactory.create(id=5)
    before = rows()

    response = bob.send(method, f"/api/alice/tasks/{task_id}{suffix}", body)

    assert response.status_code == 403
    assert rows() == before


@endpoint
@pytest.mark.parametrize("task_id", ["abc", "0", "5%0A", str(2**63)])
def test_a_missing_token_is_found_before_a_bad_id(
    anybody: ApiClient, method: str, suffix: str, body: object, task_id: str
) -> None:
    """401 must come before 404, for what is no id as well (contract.md "Who may come in")."""
    TaskFactory.create(id=5)
    before = rows()

    response = anybody.send(method, f"/api/alice/tasks/{task_id}{suffix}", body)

    assert response.status_code == 401
    assert rows() == before


def test_a_wrong_method_is_found_before_a_bad_id(alice: ApiClient) -> None:
    """405 must come before 404, for what is no id as well (contract.md "Who may come in")."""
    assert alice.send("POST", "/api/alice/tasks/abc", {"title": "New"}).status_code == 405


def test_the_largest_id_is_an_id(alice: ApiClient) -> None:
    """Ids must have 64 bits (FR-009)."""
    TaskFactory.create(id=2**63 - 1)

    assert alice.send("GET", f"/api/alice/tasks/{2**63 - 1}").json()["id"] == 2**63 - 1


def test_digits_may_be_percent_encoded(alice: ApiClient) -> None:
    """%35 must be the digit that it stands for (RFC 3986 §6.2.2.2)."""
    TaskFactory.create(id=5)

    assert alice.send("GET", "/api/alice/tasks/%35").status_code == 200
