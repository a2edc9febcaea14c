"""Times of an adopted table that the API cannot show (docs/adoption.md)."""
# ruff: noqa: S608 - statements consist of constants

import csv
import io
import json
from datetime import datetime
from itertools import chain
from operator import itemgetter

import pytest
from django.core.management import call_command
from django.db import transaction

from conftest import ApiClient
from tasks.adoption.tests.old_databases import LOOSE, PLAN, SQLMODEL, execute, migrate
from tasks.list_options import ORDERINGS
from tasks.models import TaskRow
from tasks.tests.commands import manage
from tasks.tests.factories import rows
from tasks.tests.link_walker import TASKS, ids, links, pages
from todo_project.tests.staff import superuser_client

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("old_database")]

FIRST = "0001-01-01T00:00:00.000000Z"
LAST = "9999-12-31T23:59:59.999999Z"
# A stored time in UTC, and the time that the API shows, in the order of the tasks' ids
SHOWN = {
    "infinity": LAST,
    "2026-01-06 15:30:00": "2026-01-06T15:30:00.000000Z",
    "0044-03-15 12:00:00 BC": FIRST,
    "294276-12-31 23:59:59.999999": LAST,
    "-infinity": FIRST,
    "0001-01-01 00:00:00": FIRST,
    "10000-01-01 00:00:00": LAST,
    "9999-12-31 23:59:59.999999": LAST,
    "0001-12-31 23:59:59.999999 BC": FIRST,
}
CLAMPED = 6  # tasks with a time that is not shown as it is
every_table = pytest.mark.parametrize(
    "ddl", [PLAN, SQLMODEL, LOOSE], ids=["plan", "sqlmodel", "loose"]
)


def add_tasks(*times: str, completed: bool = False) -> None:
    """Insert a task of Alice for each time; read naive times as UTC."""
    values = ", ".join(f"('alice', 'Old', NULL, {completed}, '{at}', '{at}')" for at in times)
    with transaction.atomic():
        execute(
            "SET LOCAL TIME ZONE 'UTC'",
            "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"
            f" VALUES {values}",
        )


def add_before_and_after(ddl: str) -> None:
    """Adopt a table with some of the times in ``SHOWN``; add the others after the adoption."""
    before, after = list(SHOWN)[:5], list(SHOWN)[5:]
    execute(ddl)
    add_tasks(*before)
    migrate()
    add_tasks(*after)


@every_table
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_the_nearest_time_is_shown(alice: ApiClient, ddl: str, zone: str) -> None:
    """A list must show every task, in any time zone of the session."""
    add_before_and_after(ddl)
    execute(f"SET TIME ZONE '{zone}'")

    tasks = alice.send("GET", TASKS).json()

    times = [(at, at) for at in SHOWN.values()]
    assert [(task["created_at"], task["updated_at"]) for task in tasks] == times
    assert [alice.send("GET", f"{TASKS}/{task['id']}").json() for task in tasks] == tasks


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_walk_reads_every_task_once(alice: ApiClient, limit: int) -> None:
    """Times that are shown as equal must be equal for the order, and ties broken by id."""
    add_before_and_after(PLAN)

    for ordering in ORDERINGS:
        url = f"{TASKS}?ordering={ordering}"
        whole = alice.send("GET", url).json()
        forwards = pages(alice, f"{url}&limit={limit}")
        response = alice.send("GET", f"{url}&limit={limit}")
        while target := links(response).get("next"):
            response = alice.send("GET", target)
        backwards = [ids(response)]
        while target := links(response).get("prev"):
            response = alice.send("GET", target)
            backwards.insert(0, ids(response))

        by_id = sorted(whole, key=itemgetter("id"))
        field, is_descending = ordering.removeprefix("-"), ordering.startswith("-")
        assert whole == sorted(by_id, key=itemgetter(field), reverse=is_descending)
        assert list(chain(*forwards)) == whole
        assert list(chain(*backwards)) == [task["id"] for task in whole]


@pytest.mark.parametrize(("method", "suffix"), [("PUT", ""), ("PATCH", "/complete")])
@pytest.mark.parametrize("has_tag", [False, True], ids=["any version", "If-Match"])
def test_a_change_is_later_than_the_one_before(
    alice: ApiClient, method: str, suffix: str, has_tag: bool
) -> None:
    """A task must be changeable; its ``updated_at`` must increase from the first change on."""
    add_before_and_after(PLAN)
    for task in alice.send("GET", TASKS).json():
        path = f"{TASKS}/{task['id']}"
        changed = [task["updated_at"]]
        for _ in range(2):
            tag = alice.send("GET", path)["ETag"]
            precondition = {"If-Match": tag} if has_tag else {}
            response = alice.send(method, f"{path}{suffix}", {"title": "New"}, **precondition)
            assert response.status_code == 200, response.content
            assert response.json()["created_at"] == task["created_at"]
            changed.append(response.json()["updated_at"])
            assert alice.send(method, f"{path}{suffix}", {}, **{"If-Match": tag}).status_code == 412

        assert "2026-01-06" < changed[1] < changed[2] < LAST


def test_a_task_is_deleted(alice: ApiClient) -> None:
    """``DELETE`` must work with and without ``If-Match``."""
    add_before_and_after(PLAN)
    for number, task in enumerate(alice.send("GET", TASKS).json()):
        path = f"{TASKS}/{task['id']}"
        precondition = {"If-Match": alice.send("GET", path)["ETag"]} if number % 2 else {}
        assert alice.send("DELETE", path, **precondition).status_code == 204

    assert rows() == []


def test_a_tag_is_known(alice: ApiClient) -> None:
    """A matching ``If-None-Match`` must get a 304."""
    add_before_and_after(PLAN)
    tag = alice.send("GET", TASKS)["ETag"]

    assert alice.send("GET", TASKS, **{"If-None-Match": tag}).status_code == 304


def test_a_posted_copy_is_found(alice: ApiClient) -> None:
    """The front end's double post must not make a second task."""
    add_before_and_after(PLAN)
    tasks = alice.send("GET", TASKS).json()

    copies = [alice.send("POST", TASKS, task) for task in tasks]

    assert [copy.json() for copy in copies] == tasks
    assert len(rows()) == len(tasks)


def test_a_cursor_loads_the_nearest_time() -> None:
    """Statements in a transaction, and those that Django logs, must read the same times."""
    [row] = execute("SELECT 'infinity'::timestamp, '-infinity'::timestamp")

    assert row == (datetime.max, datetime.min)  # noqa: DTZ901 - naive, as in a TaskRow


def test_staff_see_the_nearest_time() -> None:
    """The admin's list, its form and the CSV export must show every task."""
    execute(PLAN)
    add_tasks(*SHOWN)
    call_command("migrate", verbosity=0)
    staff = superuser_client()
    task_ids = [row[0] for row in rows()]

    listed = staff.get("/admin/tasks/task/")
    forms = [staff.get(f"/admin/tasks/task/{each}/change/") for each in task_ids]
    form = {"action": "export_as_csv", "_selected_action": "1", "select_across": "1"}
    exported = staff.post("/admin/tasks/task/", form).getvalue().decode()

    assert [response.status_code for response in (listed, *forms)] == [200] * (1 + len(forms))
    assert "9999-12-31 23:59" in listed.content.decode()
    lines = list(csv.DictReader(io.StringIO(exported)))
    assert [line["updated_at"] for line in reversed(lines)] == list(SHOWN.values())
    action = {"action": "mark_completed", "_selected_action": task_ids}
    assert staff.post("/admin/tasks/task/", action).status_code == 302
    assert all(row[TaskRow._fields.index("completed")] for row in rows())


def test_commands_accept_any_time(alice: ApiClient) -> None:
    """``export_tasks`` must write the times that the API shows; ``cleanup_tasks`` compares."""
    execute(PLAN)
    add_tasks(*SHOWN, completed=True)
    migrate()
    shown = alice.send("GET", TASKS).json()

    lines = manage("export_tasks", "--user=alice").splitlines()
    manage("cleanup_tasks", "--completed", "--older-than=1m", "--no-input")

    assert [json.loads(line) for line in lines] == shown
    kept = [task["updated_at"] for task in alice.send("GET", TASKS).json()]
    assert kept == [LAST] * list(SHOWN.values()).count(LAST)


@pytest.mark.parametrize(
    ("times", "messages"),
    [
        (list(SHOWN), [f"{CLAMPED} tasks have a time before the year 1"]),
        (["infinity", "2026-01-06"], ["1 task has a time before the year 1"]),
        (["0001-01-01", "2026-01-06", "9999-12-31 23:59:59.999999"], []),
    ],
    ids=["several", "one", "none"],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_the_tasks_are_counted(
    caplog: pytest.LogCaptureFixture, times: list[str], messages: list[str], zone: str
) -> None:
    """``migrate`` must say how many tasks have such a time; nothing if there is none."""
    execute(SQLMODEL)
    add_tasks(*times)
    execute(f"SET TIME ZONE '{zone}'")
    stored = execute("SELECT id, created_at::text, updated_at::text FROM task ORDER BY id")

    migrate()

    assert [text.partition(" or after")[0] for text in caplog.messages] == messages
    assert execute("SELECT id, created_at::text, updated_at::text FROM task ORDER BY id") == stored
