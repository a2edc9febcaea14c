"""Actions of staff on many tasks (docs/admin.md, "Tasks")."""

import threading
from collections import Counter
from typing import Any

import pytest

from faults.load import User
from faults.postgres import Postgres
from hostile.staff import signed_in
from hostile.wire import Client
from todo_project.tests.live_server import LiveServer

TASKS = 50_000
WRITE_SECONDS = 2.0


@pytest.mark.usefixtures("superuser")
def test_the_api_writes_during_a_bulk_action(
    server: LiveServer, postgres: Postgres, figures: dict[str, Any]
) -> None:
    """Writes to the tasks of the action must wait for a batch at most."""
    found = postgres.execute(
        "INSERT INTO task (user_id, title, description, completed, created_at, updated_at)"  # noqa: S608 - a constant
        " SELECT 'selected', 'bulk', NULL, false, now(), now()"
        f" FROM generate_series(1, {TASKS}) RETURNING id"
    )
    form = b"action=mark_completed&_selected_action=1&select_across=1"
    request = b"POST /admin/tasks/task/?q=selected HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b"
    request %= signed_in(server), len(form), form
    status = 0

    def act() -> None:
        nonlocal status
        with Client(("127.0.0.1", server.port)) as client:
            client.sock.settimeout(60)
            client.send(request)
            status = client.reply().status

    action = threading.Thread(target=act)
    user, number = User(server, "selected"), 0
    action.start()
    while action.is_alive():
        (task_id,) = found[number * 7919 % TASKS]  # all over the selection
        user.send("PUT", f"/api/selected/tasks/{task_id}", {"title": "written"})
        number += 1
    user.close()
    [(completed, written)] = postgres.execute(
        "SELECT count(*) FILTER (WHERE completed), count(*) FILTER (WHERE title = 'written')"
        " FROM task WHERE user_id = 'selected'"
    )
    postgres.execute("DELETE FROM task WHERE user_id = 'selected'")
    statuses = Counter(outcome.status for outcome in user.outcomes)
    slowest = max(outcome.seconds for outcome in user.outcomes)
    figures.update(
        {"tasks": TASKS, "completed": completed, "writes": dict(statuses)}
        | {"slowest ms": round(slowest * 1000), "lost": statuses[200] - written}
    )
    assert (status, completed, {*statuses}) == (302, TASKS, {200})
    assert written == statuses[200]
    assert slowest < WRITE_SECONDS
