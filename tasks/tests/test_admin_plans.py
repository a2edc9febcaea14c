"""How the admin's pages are read, and what they cost the API.

On a table of some size, so that the planner has a choice.
"""

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasks.models import Task
from tasks.tests.better_auth import add_user, create_table
from todo_project.tests.staff import boss

pytestmark = pytest.mark.postgresql

LIST = "/admin/tasks/task/"
TASKS = 20_000
FILL = """
INSERT INTO task (user_id, title, completed, created_at, updated_at)
SELECT 'user' || n %% 500, 'Task ' || n, n %% 10 = 0, now(), now() FROM generate_series(1, %s) n
"""


@pytest.fixture
def staff(db: None) -> Client:
    """Sign somebody in who may do everything."""
    return boss()


@pytest.fixture(autouse=True)
def _table(db: None) -> None:
    """Fill the table past the models; half of it in one transaction is enough for the planner."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, [TASKS])
        cursor.execute("ANALYZE task")


def plans(staff: Client, **query: str) -> list[str]:
    """Open the list, and return the plans of the statements that read tasks."""
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
    """Neither the list nor a page further on may sort or scan the table, nor read to skip."""
    pages = {page: plans(staff, p=page) for page in ("1", "2", "300")}

    found = [plan for each in pages.values() for plan in each]
    assert all(pages.values())
    assert not [plan for plan in found if "task_pkey" not in plan or "Seq Scan" in plan]
    assert [plan for plan in pages["300"] if "Index Only Scan Backward" in plan]


def test_an_owner_is_read_from_the_apis_own_index(staff: Client) -> None:
    """A search by owner must cost what that owner's tasks cost."""
    found = plans(staff, q="user7")

    assert all("ix_task_user_id_id" in plan or "task_pkey" in plan for plan in found)
    assert [plan for plan in found if "ix_task_user_id_id" in plan]
    assert not [plan for plan in found if "Seq Scan" in plan]


def test_an_e_mail_address_is_read_from_the_apis_own_index(staff: Client) -> None:
    """A search by address must look through the users and not through the tasks."""
    create_table()
    add_user("user7", "ada@example.com")

    found = plans(staff, q="ada@example.com")

    assert [plan for plan in found if "ix_task_user_id_id" in plan]
    assert not [plan for plan in found if "Seq Scan" in plan]


def test_a_task_is_read_by_its_id(staff: Client) -> None:
    """Editing must not depend on how many tasks there are."""
    task = Task.objects.order_by("pk")[TASKS // 2]

    with CaptureQueriesContext(connection) as captured:
        staff.post(f"{LIST}{task.pk}/change/", {"title": "Changed"})

    statements = [sql for each in captured if '"task"' in (sql := str(each["sql"]))]
    found = [explain(sql) for sql in statements if sql.startswith(("SELECT", "UPDATE"))]
    assert len(found) == 2
    assert all("task_pkey" in plan for plan in found)


def updates() -> tuple[int, int]:
    """Return how many rows this transaction has updated, and how many of them heap-only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'task'"
        )
        [(updated, heap_only)] = cursor.fetchall()
    return updated, heap_only


def test_a_flip_is_a_heap_only_update(staff: Client) -> None:
    """The API's commonest write must touch no index, unless the page of the table is full."""
    task = Task.objects.add(user_id="alice", title="Buy milk")
    before = updates()

    for _ in range(10):
        Task.objects.filter(pk=task.id).change(completed=~F("completed"))

    after = updates()
    assert after[0] - before[0] == 10
    assert after[1] - before[1] >= 9  # one may have to move to the next page
