"""After the adoption: the old back end, reversal, indexes, the search path and warnings."""
# ruff: noqa: S608 - statements consist of constants

import io
import re

import pytest
from django.core.management import call_command

from conftest import ApiClient
from tasks.adoption.tests.old_databases import (
    ALICE,
    PLAN,
    ROWS,
    SQLMODEL,
    empty,
    execute,
    migrate,
    snapshot,
)
from tasks.tests.factories import rows
from todo_project.configuration.environment import BASE_DIR

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("old_database")]

TASKS = "/api/alice/tasks"
LIST = "ix_task_user_id_id"


def indexes() -> dict[str, bool]:
    """Return the table's indexes and whether each is valid."""
    return dict(
        execute(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
            " WHERE indrelid = to_regclass('task')"
        )
    )


def old_back_end(zone: str) -> None:
    """Execute the statements of the old back end, as SQLAlchemy does, with typed literals."""
    time = f"'2026-02-03 04:05:06.789'::TIMESTAMP {zone} TIME ZONE"
    found = execute(
        "INSERT INTO task (title, description, completed, user_id, created_at, updated_at) VALUES"
        f" ('Old'::VARCHAR, NULL::VARCHAR, false, 'alice'::VARCHAR, {time}, {time})"
        " RETURNING task.id"
    )
    for statement in (
        f"UPDATE task SET completed=true, updated_at={time} WHERE task.id = {{}}::INTEGER",
        "SELECT task.title, task.description, task.completed, task.id, task.user_id,"
        " task.created_at, task.updated_at FROM task WHERE task.id = {}::INTEGER"
        " AND task.user_id = 'alice'::VARCHAR",
        "DELETE FROM task WHERE task.user_id = 'nobody'::VARCHAR AND task.id = {}::INTEGER",
    ):
        execute(statement.format(found[0][0]))


@pytest.mark.parametrize(("ddl", "zone"), [(PLAN, "WITHOUT"), (SQLMODEL, "WITH")])
def test_the_old_back_end_still_works(alice: ApiClient, ddl: str, zone: str) -> None:
    """Tasks that the old back end writes after the adoption must be served correctly."""
    execute(ddl, ROWS)
    migrate()

    old_back_end(zone)

    *kept, new = alice.send("GET", TASKS).json()
    assert kept == ALICE
    assert new["title"] == "Old"
    assert new["created_at"] == new["updated_at"] == "2026-02-03T04:05:06.789000Z"
    assert alice.send("PATCH", f"{TASKS}/{new['id']}/complete").json()["completed"] is False


def test_reversing_the_migration_keeps_every_row(alice: ApiClient) -> None:
    """Reversing the migration must drop only the index that it added."""
    execute(PLAN, ROWS)
    migrate()
    assert indexes() == {"task_pkey": True, "ix_task_user_id": True, LIST: True}
    made = alice.send("POST", TASKS, {"title": "New"}).json()
    before = rows()

    migrate("tasks", "zero")

    assert rows() == before
    assert indexes() == {"task_pkey": True, "ix_task_user_id": True}
    old_back_end("WITHOUT")
    migrate()
    *kept, old = alice.send("GET", TASKS).json()
    assert kept == [*ALICE, made]
    assert old["title"] == "Old"


def test_the_documented_statements_work(alice: ApiClient) -> None:
    """The SQL of docs/adoption.md must run and keep every row."""
    page = (BASE_DIR / "docs" / "adoption.md").read_text()
    times, index, ids = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    execute(PLAN, ROWS)

    for script in (times, index, ids):
        migrate()
        migrate("tasks", "zero")
        execute(script)
    migrate()

    assert alice.send("GET", TASKS).json() == ALICE


def test_an_invalid_index_is_rebuilt() -> None:
    """The next ``migrate`` must rebuild an index that an interrupted run left invalid."""
    execute(
        PLAN,
        ROWS,
        f"CREATE INDEX {LIST} ON task (user_id, id)",
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{LIST}'::regclass",
    )

    migrate()

    assert indexes()[LIST] is True


def test_a_table_in_another_schema_on_the_search_path_is_adopted(alice: ApiClient) -> None:
    """The table that an unqualified name resolves to must be adopted."""
    execute("CREATE SCHEMA app", "SET search_path TO app", PLAN, ROWS)
    execute("SET search_path TO public, app")

    migrate()

    assert alice.send("GET", TASKS).json() == ALICE
    assert "public.task" not in snapshot()


def test_a_table_off_the_search_path_is_ignored(alice: ApiClient) -> None:
    """A table outside the search path must not be changed."""
    execute("CREATE SCHEMA other", "SET search_path TO other", PLAN, ROWS, "RESET search_path")
    before = snapshot()["other.task"]

    migrate()

    assert snapshot()["other.task"] == before
    assert alice.send("POST", TASKS, {"title": "New"}).json()["id"] == 1001


def test_a_misleading_time_zone_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A warning must be logged if PostgreSQL would misread the old back end's naive times."""
    for ddl, zone in ((PLAN, "UTC"), (SQLMODEL, "Asia/Tokyo"), (PLAN, "Europe/Oslo")):
        empty()
        execute(ddl, f"SET TIME ZONE '{zone}'")
        migrate()

    zones = ("UTC", "Asia/Tokyo", "Europe/Oslo")
    named = [zone for message in caplog.messages for zone in zones if zone in message]
    assert named == ["Europe/Oslo"]


def test_sqlmigrate_prints_the_statements() -> None:
    """``sqlmigrate`` must print the statements and execute none."""
    execute(PLAN, ROWS)
    before = snapshot()
    output = io.StringIO()

    call_command("sqlmigrate", "tasks", "0001", stdout=output)

    assert "LOCK TABLE task" in output.getvalue()
    assert f'CREATE INDEX CONCURRENTLY "{LIST}"' in output.getvalue()
    assert snapshot() == before
