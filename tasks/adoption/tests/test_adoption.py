"""Taking over a table that the plan's back end has made."""
# ruff: noqa: S608 - every part of a statement is a test's own

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
    """Run the migrations again that have been applied already."""
    migrate("--fake", "tasks", "zero")
    execute("DROP TABLE task_idempotency_key")
    migrate()


def in_zone(zone: str, whose: str = "DATABASE {database}") -> None:
    """Let all sessions that begin from now on have a time zone."""
    database = connection.settings_dict["NAME"]
    execute(f"ALTER {whose.format(database=database)} SET timezone TO '{zone}'")
    connection.close()
    assert execute("SHOW TIME ZONE") == [(zone,)]


@pytest.mark.parametrize("ddl", [PLAN, SQLMODEL], ids=["plan", "sqlmodel"])
def test_every_row_and_moment_is_kept(alice: ApiClient, ddl: str) -> None:
    """A user must find every task as it was, whatever zone the server is in."""
    found = {}
    for zone, whose in ZONES.items():
        in_zone(zone, whose)
        empty()
        execute(ddl, ROWS)

        migrate()

        found[zone] = (alice.send("GET", TASKS).json(), [row[0] for row in rows()])

    assert found == dict.fromkeys(ZONES, (ALICE, [2, 5, 7]))


@every_table
def test_a_table_that_was_taken_over_works(alice: ApiClient, ddl: str) -> None:
    """The largest texts must fit, and a moment must keep its microseconds."""
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
    """Running it twice must be harmless, also where the first time was forgotten."""
    execute(ddl, ROWS)
    migrate()
    before = snapshot()["public.task"]

    migrate()
    forget_and_migrate()

    assert snapshot()["public.task"] == before


def test_a_table_of_our_own_stays_what_it_is(alice: ApiClient) -> None:
    """A database that has forgotten its migrations must not lose what they made."""
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
        (LOOSE, "t" * 300, "d" * 2000),  # which the plan's table would not have let in
    ],
    ids=["plan", "loose", "plan, blank", "loose, blank", "loose, long"],
)
def test_an_old_row_that_breaks_a_rule_can_be_used(
    alice: ApiClient, ddl: str, title: str, description: str | None
) -> None:
    """What was acknowledged once must be readable, flippable, editable and deletable."""
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


def test_a_null_becomes_what_it_stood_for(alice: ApiClient) -> None:
    """A task with gaps must be shown whole, and one of nobody's must be kept."""
    moment = "'2026-01-06 15:30'"
    execute(
        LOOSE,
        "INSERT INTO task (user_id, created_at, updated_at) VALUES"
        f" ('alice', {moment}, NULL), ('alice', NULL, {moment}), ('alice', NULL, NULL),"
        f" (NULL, {moment}, {moment})",
    )

    migrate()

    tasks = alice.send("GET", TASKS).json()
    assert [(task["title"], task["completed"]) for task in tasks] == [("", False)] * 3
    times = [(task["created_at"], task["updated_at"]) for task in tasks]
    assert times[:2] == [("2026-01-06T15:30:00.000000Z",) * 2] * 2
    assert times[2][0] == times[2][1]
    assert len(rows()) == 4
    assert column("completed") == ("boolean", True)


def test_a_default_of_the_servers_stays_right(alice: ApiClient) -> None:
    """A time that the server fills in must be now, whatever zone the inserting session is in."""
    in_zone("Asia/Tokyo")
    execute(LOOSE)

    migrate()

    execute("INSERT INTO task (user_id, title, completed) VALUES ('alice', 'New', false)")
    assert execute("SELECT now() - created_at < '1 minute', created_at <= now() FROM task") == [
        (True, True)
    ]


def test_no_row_is_rewritten() -> None:
    """The lock must be too short to be felt, however many rows there are."""
    in_zone("Asia/Tokyo")
    execute(PLAN, ROWS)
    file = execute("SELECT pg_relation_filenode('task')")

    migrate()

    assert column("created_at")[0] == "timestamp with time zone"
    assert execute("SELECT pg_relation_filenode('task')") == file


def test_better_auths_tables_are_not_touched() -> None:
    """What belongs to Better Auth must stay as it is, to the last row."""
    execute(PLAN, ROWS, BETTER_AUTH)
    before = snapshot()
    theirs = before.keys() - {"public.task", "public.task_id_seq"}

    migrate()

    after = snapshot()
    assert len(theirs) == 5
    assert {name: after[name] for name in theirs} == {name: before[name] for name in theirs}
