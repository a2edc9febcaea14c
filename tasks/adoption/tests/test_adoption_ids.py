"""The ids of an adopted table."""

import pytest

from conftest import ApiClient
from tasks.adoption.tests.old_databases import LOOSE, PLAN, ROWS, column, empty, execute, migrate
from tasks.tests.factories import rows

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("old_database")]

TASKS = "/api/alice/tasks"


# SQL before the adoption: the id of the next task
NEXT_IDS = {
    "": 8,  # the sequence is behind the ids
    "SELECT setval('task_id_seq', 7)": 8,
    "SELECT setval('task_id_seq', 7, false)": 8,
    "SELECT setval('task_id_seq', 90)": 91,
    "SELECT setval('task_id_seq', 90); DELETE FROM task": 91,
    "DELETE FROM task": 1001,  # no id was ever assigned
}


@pytest.mark.parametrize("ddl", [PLAN, LOOSE], ids=["serial", "identity"])
def test_ids_continue_after_the_largest(alice: ApiClient, ddl: str) -> None:
    """A new task must never reuse an id; ids must start at 1001 in an unused table."""
    next_ids = {}
    for preparation in NEXT_IDS:
        empty()
        execute(ddl, ROWS, *filter(None, preparation.split(";")))
        migrate()
        next_ids[preparation] = alice.send("POST", TASKS, {"title": "New"}).json()["id"]

    assert next_ids == NEXT_IDS


def test_an_id_beyond_the_columns_range_is_not_found(alice: ApiClient) -> None:
    """A request for an id beyond the range of the column must return a 404.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
    execute(PLAN, ROWS)
    migrate()
    before = rows()
    paths = [f"{TASKS}/{task_id}" for task_id in (2**31, 2**63 - 1)]

    responses = [
        alice.send(method, f"{path}{suffix}", body)
        for path in paths
        for method, suffix, body in (
            ("GET", "", None),
            ("PUT", "", {"title": "New"}),
            ("DELETE", "", None),
            ("PATCH", "/complete", None),
        )
    ]

    assert column("id") == ("integer", True)  # widening it would rewrite every row under the lock
    assert [response.status_code for response in responses] == [404] * 8
    assert rows() == before


def test_an_exhausted_sequence_is_a_500(alice: ApiClient) -> None:
    """With an exhausted sequence, a create must return a 500 and change nothing."""
    execute(PLAN, ROWS, "UPDATE task SET id = 2147483647 WHERE id = 7")
    migrate()
    before = rows()
    alice.raise_request_exception = False

    assert alice.send("POST", TASKS, {"title": "New"}).status_code == 500
    assert rows() == before
