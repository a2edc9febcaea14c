"""The query plans of the admin's pages, on a table large enough that the planner has a choice."""

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasks.models import Task
from tasks.tests.better_auth import add_user, create_table
from todo_project.tests.staff import superuser_client

pytestmark = pytest.mark.postgresql

LIST = "/admin/tasks/task/"
TASKS = 20_000
FILL = """
INSERT INTO task (user_id, title, completed, created_at, updated_at)
SELECT 'user' || n %% 500, 'Task ' || n, n %% 10 = 0, now(), now() FROM generate_series(1, %s) n
"""


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser."""
    return superuser_client()


@pytest.fixture(autouse=True)
def _table(db: None) -> None:
    """Fill the task table with SQL and update the planner's statistics."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, [TASKS])
        cursor.execute("ANALYZE task")


def plans(staff: Client, **query: str) -> list[str]:
    """Open the list and return the plans of its statements on the task table."""
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(LIST, query).status_code == 200
    statements = [
        sql
        for each in captured
        if (sql := str(each["sql"])).startswith("SELECT") and 'FROM "task"' in sql
    ]
    assert not [sql for sql in statements if "COUNT(" in sql]
    return [explain(sql) for sql in statements]


def explain(statement: str) -> str:
    """Return the plan of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement.replace('%', '%%')}", [])
        return "\n".join(line for (line,) in cursor.fetchall())


def test_a_page_is_read_from_the_primary_key(staff: Client) -> None:
    """No page may sort or scan the table, and a distant page must skip rows in the index."""
    pages = {page: plans(staff, p=page) for page in ("1", "2", "300")}

    found = [plan for each in pages.values() for plan in each]
    assert all(pages.values())
    assert not [plan for plan in found if "task_pkey" not in plan or "Seq Scan" in plan]
    assert [plan for plan in pages["300"] if "Index Only Scan Backward" in plan]


def test_a_search_by_owner_uses_the_index_of_the_list(staff: Client) -> None:
    """A search by owner must read only that owner's tasks."""
    found = plans(staff, q="user7")

    assert all("ix_task_user_id_id" in plan or "task_pkey" in plan for plan in found)
    assert [plan for plan in found if "ix_task_user_id_id" in plan]
    assert not [plan for plan in found if "Seq Scan" in plan]


def test_a_search_by_e_mail_uses_the_index_of_the_list(staff: Client) -> None:
    """A search by e-mail address may scan the users but not the tasks."""
    create_table()
    add_user("user7", "ada@example.com")

    found = plans(staff, q="ada@example.com")

    assert [plan for plan in found if "ix_task_user_id_id" in plan]
    assert not [plan for plan in found if "Seq Scan" in plan]


def test_editing_uses_the_primary_key(staff: Client) -> None:
    """The cost of an edit must not depend on the size of the table."""
    task = Task.objects.order_by("pk")[TASKS // 2]

    with CaptureQueriesContext(connection) as captured:
        staff.post(f"{LIST}{task.pk}/change/", {"title": "Changed"})

    statements = [sql for each in captured if '"task"' in (sql := str(each["sql"]))]
    found = [explain(sql) for sql in statements if sql.startswith(("SELECT", "UPDATE"))]
    assert len(found) == 2
    assert all("task_pkey" in plan for plan in found)


def updates() -> tuple[int, int]:
    """Return how many updates and heap-only updates this transaction has made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'task'"
        )
        [(updated, heap_only)] = cursor.fetchall()
    return updated, heap_only


def test_a_flip_is_a_heap_only_update(staff: Client) -> None:
    """A flip must not write to an index, unless the table page is full."""
    task = Task.objects.add(user_id="alice", title="Buy milk")
    before = updates()

    for _ in range(10):
        Task.objects.filter(pk=task.id).change(completed=~F("completed"))

    after = updates()
    assert after[0] - before[0] == 10
    assert after[1] - before[1] >= 9  # one may move to the next page
