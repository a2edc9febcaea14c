"""The old back end beside this one, and after it; where the table is."""
# ruff: noqa: S608 - every part of a statement is a test's own

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
    """Read the table's indexes, and whether each is valid."""
    return dict(
        execute(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
            " WHERE indrelid = to_regclass('task')"
        )
    )


def old_back_end(zone: str) -> None:
    """Send the statements of the old back end, as SQLAlchemy does: each time with its type."""
    moment = f"'2026-02-03 04:05:06.789'::TIMESTAMP {zone} TIME ZONE"
    found = execute(
        "INSERT INTO task (title, description, completed, user_id, created_at, updated_at) VALUES"
        f" ('Old'::VARCHAR, NULL::VARCHAR, false, 'alice'::VARCHAR, {moment}, {moment})"
        " RETURNING task.id"
    )
    for statement in (
        f"UPDATE task SET completed=true, updated_at={moment} WHERE task.id = {{}}::INTEGER",
        "SELECT task.title, task.description, task.completed, task.id, task.user_id,"
        " task.created_at, task.updated_at FROM task WHERE task.id = {}::INTEGER"
        " AND task.user_id = 'alice'::VARCHAR",
        "DELETE FROM task WHERE task.user_id = 'nobody'::VARCHAR AND task.id = {}::INTEGER",
    ):
        execute(statement.format(found[0][0]))


@pytest.mark.parametrize(("ddl", "zone"), [(PLAN, "WITHOUT"), (SQLMODEL, "WITH")])
def test_the_old_back_end_still_runs(alice: ApiClient, ddl: str, zone: str) -> None:
    """What the old back end writes afterwards must be served like everything else."""
    execute(ddl, ROWS)
    migrate()

    old_back_end(zone)

    *kept, new = alice.send("GET", TASKS).json()
    assert kept == ALICE
    assert new["title"] == "Old"
    assert new["created_at"] == new["updated_at"] == "2026-02-03T04:05:06.789000Z"
    assert alice.send("PATCH", f"{TASKS}/{new['id']}/complete").json()["completed"] is False


def test_the_way_back_keeps_every_row(alice: ApiClient) -> None:
    """Going back must give the table and its index up and not drop them, nor a row."""
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


def test_the_statements_of_the_page_work(alice: ApiClient) -> None:
    """The SQL of docs/adoption.md must run, and lose nothing."""
    page = (BASE_DIR / "docs" / "adoption.md").read_text()
    times, index, ids = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    execute(PLAN, ROWS)

    for script in (times, index, ids):
        migrate()
        migrate("tasks", "zero")
        execute(script)
    migrate()

    assert alice.send("GET", TASKS).json() == ALICE


def test_half_an_index_is_built_anew() -> None:
    """What an interrupted `migrate` has left must be put right by the next one."""
    execute(
        PLAN,
        ROWS,
        f"CREATE INDEX {LIST} ON task (user_id, id)",
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{LIST}'::regclass",
    )

    migrate()

    assert indexes()[LIST] is True


def test_a_table_elsewhere_on_the_search_path_is_taken_over(alice: ApiClient) -> None:
    """The table that the old back end's statements reach must be the one."""
    execute("CREATE SCHEMA app", "SET search_path TO app", PLAN, ROWS)
    execute("SET search_path TO public, app")

    migrate()

    assert alice.send("GET", TASKS).json() == ALICE
    assert "public.task" not in snapshot()


def test_a_table_off_the_search_path_is_left_alone(alice: ApiClient) -> None:
    """A table that no statement of ours reaches must be none of our business."""
    execute("CREATE SCHEMA other", "SET search_path TO other", PLAN, ROWS, "RESET search_path")
    before = snapshot()["other.task"]

    migrate()

    assert snapshot()["other.task"] == before
    assert alice.send("POST", TASKS, {"title": "New"}).json()["id"] == 1001


def test_a_zone_that_will_mislead_the_old_back_end_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An operator must be told when the old back end must not write any more."""
    for ddl, zone in ((PLAN, "UTC"), (SQLMODEL, "Asia/Tokyo"), (PLAN, "Europe/Oslo")):
        empty()
        execute(ddl, f"SET TIME ZONE '{zone}'")
        migrate()

    zones = ("UTC", "Asia/Tokyo", "Europe/Oslo")
    named = [zone for message in caplog.messages for zone in zones if zone in message]
    assert named == ["Europe/Oslo"]


def test_sqlmigrate_shows_it_and_does_nothing() -> None:
    """An administrator must be able to read what will be done."""
    execute(PLAN, ROWS)
    before = snapshot()
    output = io.StringIO()

    call_command("sqlmigrate", "tasks", "0001", stdout=output)

    assert "LOCK TABLE task" in output.getvalue()
    assert f'CREATE INDEX CONCURRENTLY "{LIST}"' in output.getvalue()
    assert snapshot() == before
