"""The ids of a table that was taken over."""

import pytest

from conftest import ApiClient
from tasks.adoption.tests.old_databases import LOOSE, PLAN, ROWS, column, empty, execute, migrate
from tasks.tests.factories import rows

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("old_database")]

TASKS = "/api/alice/tasks"


# what has happened to the table: the id of the next task
NEXT_IDS = {
    "": 8,  # the sequence is behind
    "SELECT setval('task_id_seq', 7)": 8,
    "SELECT setval('task_id_seq', 7, false)": 8,
    "SELECT setval('task_id_seq', 90)": 91,
    "SELECT setval('task_id_seq', 90); DELETE FROM task": 91,
    "DELETE FROM task": 1001,  # never used
}


@pytest.mark.parametrize("ddl", [PLAN, LOOSE], ids=["serial", "identity"])
def test_ids_go_on_after_the_largest(alice: ApiClient, ddl: str) -> None:
    """A new task must never get an id that was given away; only the first of all gets 1001."""
    given = {}
    for preparation in NEXT_IDS:
        empty()
        execute(ddl, ROWS, *filter(None, preparation.split(";")))
        migrate()
        given[preparation] = alice.send("POST", TASKS, {"title": "New"}).json()["id"]

    assert given == NEXT_IDS


def test_an_id_beyond_the_column_is_a_missing_task(alice: ApiClient) -> None:
    """An id's type must stay, and a larger number be a 404 (contract.md "Six endpoints …")."""
    execute(PLAN, ROWS)
    migrate()
    before = rows()
    paths = [f"{TASKS}/{task_id}" for task_id in (2**31, 2**63 - 1)]

    answers = [
        alice.send(method, f"{path}{suffix}", body)
        for path in paths
        for method, suffix, body in (
            ("GET", "", None),
            ("PUT", "", {"title": "New"}),
            ("DELETE", "", None),
            ("PATCH", "/complete", None),
        )
    ]

    assert column("id") == ("integer", True)  # a wider one would rewrite every row under a lock
    assert [answer.status_code for answer in answers] == [404] * 8
    assert rows() == before


def test_no_id_is_left(alice: ApiClient) -> None:
    """A create without an id to give must be a fault of ours, and change nothing."""
    execute(PLAN, ROWS, "UPDATE task SET id = 2147483647 WHERE id = 7")
    migrate()
    before = rows()
    alice.raise_request_exception = False

    assert alice.send("POST", TASKS, {"title": "New"}).status_code == 500
    assert rows() == before
