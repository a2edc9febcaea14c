"""The ids of a table that was taken over (issue "Nothing lost, nothing twice")."""

from typing import Any

import pytest

from conftest import ApiClient
from tasks.tests.factories import rows
from tasks.tests.old_databases import LOOSE, PLAN, ROWS, column, execute, migrate

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.usefixtures("old_database"),
]

TASKS = "/api/alice/tasks"


@pytest.mark.parametrize(
    ("preparation", "expected"),
    [
        pytest.param("", 8, id="sequence behind"),
        pytest.param("SELECT setval('task_id_seq', 7)", 8, id="sequence in step"),
        pytest.param("SELECT setval('task_id_seq', 7, false)", 8, id="sequence at the largest"),
        pytest.param("SELECT setval('task_id_seq', 90)", 91, id="sequence ahead"),
        pytest.param("SELECT setval('task_id_seq', 90); DELETE FROM task", 91, id="all deleted"),
        pytest.param("DELETE FROM task", 1001, id="never used"),
    ],
)
@pytest.mark.parametrize("ddl", [PLAN, LOOSE], ids=["serial", "identity"])
def test_ids_go_on_after_the_largest(
    alice: ApiClient, ddl: str, preparation: str, expected: int
) -> None:
    """A new task must never get an id that was given away; only the first of all gets 1001."""
    execute(ddl, ROWS, *filter(None, preparation.split(";")))

    migrate()

    assert alice.send("POST", TASKS, {"title": "New"}).json()["id"] == expected


def test_the_type_of_an_old_id_stays() -> None:
    """A wider id would rewrite every row under a lock."""
    execute(PLAN, ROWS)

    migrate()

    assert column("id") == ("integer", True)


@pytest.mark.parametrize("task_id", [2**31, 2**63 - 1])
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "New"}),
        ("DELETE", "", None),
        ("PATCH", "/complete", None),
    ],
)
def test_an_id_beyond_the_column_is_a_missing_task(
    alice: ApiClient, task_id: int, method: str, suffix: str, body: Any
) -> None:
    """A number larger than the column must be a 404 (contract.md "Six endpoints …")."""
    execute(PLAN, ROWS)
    migrate()
    before = rows()

    assert alice.send(method, f"{TASKS}/{task_id}{suffix}", body).status_code == 404
    assert rows() == before


def test_no_id_is_left(alice: ApiClient) -> None:
    """A create without an id to give must be a fault of ours, and change nothing."""
    execute(PLAN, ROWS, "UPDATE task SET id = 2147483647 WHERE id = 7")
    migrate()
    before = rows()
    alice.raise_request_exception = False

    assert alice.send("POST", TASKS, {"title": "New"}).status_code == 500
    assert rows() == before
