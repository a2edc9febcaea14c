"""Adopting the FastAPI back end's task table."""
# ruff: noqa: S608 - statements consist of constants

import pytest
from django.db import connection

from conftest import ApiClient
from tasks.adoption.tests.old_databases import (
    ALICE,
    BETTER_AUTH,
    LOOSE,
    PLAN,
    ROWS,
    SQLMODEL,
    TIGHT,
    column,
    empty,
    execute,
    migrate,
    snapshot,
)
from tasks.tests.factories import rows

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("old_database")]

TASKS = "/api/alice/tasks"
ZONES = {
    "UTC": "DATABASE {database}",
    "America/New_York": "DATABASE {database}",
    "Asia/Tokyo": "ROLE CURRENT_USER IN DATABASE {database}",
}
every_table = pytest.mark.parametrize(
    "ddl", [PLAN, SQLMODEL, LOOSE, TIGHT], ids=["plan", "sqlmodel", "loose", "tight"]
)


def forget_and_migrate() -> None:
    """Forget that the migrations were applied, and apply them again."""
    migrate("--fake", "tasks", "zero")
    execute("DROP TABLE task_idempotency_key")
    migrate()


def in_zone(zone: str, whose: str = "DATABASE {database}") -> None:
    """Set the time zone of new sessions and reconnect."""
    database = connection.settings_dict["NAME"]
    execute(f"ALTER {whose.format(database=database)} SET timezone TO '{zone}'")
    connection.close()
    assert execute("SHOW TIME ZONE") == [(zone,)]


@pytest.mark.parametrize("ddl", [PLAN, SQLMODEL], ids=["plan", "sqlmodel"])
def test_every_row_and_datetime_is_kept(alice: ApiClient, ddl: str) -> None:
    """Adoption must keep every task unchanged, in any time zone of the server."""
    found = {}
    for zone, whose in ZONES.items():
        in_zone(zone, whose)
        empty()
        execute(ddl, ROWS)

        migrate()

        found[zone] = (alice.send("GET", TASKS).json(), [row[0] for row in rows()])

    assert found == dict.fromkeys(ZONES, (ALICE, [2, 5, 7]))


@every_table
def test_the_api_works_on_an_adopted_table(alice: ApiClient, ddl: str) -> None:
    """The longest texts must be accepted, and ``updated_at`` must increase with each change."""
    execute(ddl)
    migrate()
    client = ApiClient("u" * 255)
    path = f"/api/{'u' * 255}/tasks"
    task = {"title": "t" * 200, "description": "d" * 1000}

    made = client.send("POST", path, task).json()
    flipped = client.send("PATCH", f"{path}/{made['id']}/complete").json()
    cleared = client.send("PUT", f"{path}/{made['id']}", {"description": None}).json()

    assert {**made, **task} == made
    assert made["updated_at"] < flipped["updated_at"] < cleared["updated_at"]
    assert cleared["description"] is None
    assert client.send("GET", path).json() == [cleared]
    assert client.send("DELETE", f"{path}/{made['id']}").status_code == 204


@pytest.mark.parametrize("ddl", [PLAN, SQLMODEL, LOOSE], ids=["plan", "sqlmodel", "loose"])
def test_a_second_migrate_changes_nothing(ddl: str) -> None:
    """A second run must change nothing, even if the first was not recorded."""
    execute(ddl, ROWS)
    migrate()
    before = snapshot()["public.task"]

    migrate()
    forget_and_migrate()

    assert snapshot()["public.task"] == before


def test_a_table_created_here_is_kept(alice: ApiClient) -> None:
    """A table that ``migrate`` created must be kept even if its migration record is lost."""
    migrate()
    forget_and_migrate()
    first = alice.send("POST", TASKS, {"title": "New"}).json()["id"]
    before = snapshot()["public.task"]

    forget_and_migrate()

    assert snapshot()["public.task"] == before
    assert (first, alice.send("POST", TASKS, {"title": "New"}).json()["id"]) == (1001, 1002)


@pytest.mark.parametrize(
    ("ddl", "title", "description"),
    [
        *((ddl, "", None) for ddl in (PLAN, LOOSE)),
        *((ddl, " \t\u3000", "") for ddl in (PLAN, LOOSE)),
        (LOOSE, "t" * 300, "d" * 2000),  # too long for the plan's table
    ],
    ids=["plan", "loose", "plan, blank", "loose, blank", "loose, long"],
)
def test_an_invalid_old_row_can_be_used(
    alice: ApiClient, ddl: str, title: str, description: str | None
) -> None:
    """An old row that breaks the API's rules must be readable, editable and deletable."""
    execute(ddl)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"
            " VALUES ('alice', %s, %s, false, '2026-01-06', '2026-01-06')",
            [title, description],
        )

    migrate()

    [task] = alice.send("GET", TASKS).json()
    path = f"{TASKS}/{task['id']}"
    assert (task["title"], task["description"]) == (title, description)
    assert alice.send("PATCH", f"{path}/complete").json()["completed"] is True
    assert alice.send("PUT", path, {"completed": False}).json()["title"] == title
    assert alice.send("PUT", path, {"title": "t" * 201}).status_code == 422
    assert alice.send("PUT", path, {"title": "New"}).json()["title"] == "New"
    assert alice.send("DELETE", path).status_code == 204


def test_nulls_are_replaced(alice: ApiClient) -> None:
    """NULLs must become defaults, and a task without an owner must be kept."""
    time = "'2026-01-06 15:30'"
    execute(
        LOOSE,
        "INSERT INTO task (user_id, created_at, updated_at) VALUES"
        f" ('alice', {time}, NULL), ('alice', NULL, {time}), ('alice', NULL, NULL),"
        f" (NULL, {time}, {time})",
    )

    migrate()

    tasks = alice.send("GET", TASKS).json()
    assert [(task["title"], task["completed"]) for task in tasks] == [("", False)] * 3
    times = [(task["created_at"], task["updated_at"]) for task in tasks]
    assert times[:2] == [("2026-01-06T15:30:00.000000Z",) * 2] * 2
    assert times[2][0] == times[2][1]
    assert len(rows()) == 4
    assert column("completed") == ("boolean", True)


def test_a_server_side_default_stays_correct(alice: ApiClient) -> None:
    """A default of ``created_at`` must be the current time, in any session time zone."""
    in_zone("Asia/Tokyo")
    execute(LOOSE)

    migrate()

    execute("INSERT INTO task (user_id, title, completed) VALUES ('alice', 'New', false)")
    assert execute("SELECT now() - created_at < '1 minute', created_at <= now() FROM task") == [
        (True, True)
    ]


def test_no_row_is_rewritten() -> None:
    """Converting the datetimes must not rewrite the table, which would prolong the lock."""
    in_zone("Asia/Tokyo")
    execute(PLAN, ROWS)
    file_node = execute("SELECT pg_relation_filenode('task')")

    migrate()

    assert column("created_at")[0] == "timestamp with time zone"
    assert execute("SELECT pg_relation_filenode('task')") == file_node


def test_better_auths_tables_are_not_changed() -> None:
    """The schema and rows of Better Auth's tables must not change."""
    execute(PLAN, ROWS, BETTER_AUTH)
    before = snapshot()
    theirs = before.keys() - {"public.task", "public.task_id_seq"}

    migrate()

    after = snapshot()
    assert len(theirs) == 5
    assert {name: after[name] for name in theirs} == {name: before[name] for name in theirs}
