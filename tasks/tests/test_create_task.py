from itertools import product
from typing import Any

import pytest

from conftest import ApiClient
from tasks.models import Task
from tasks.tests.factories import rows
from tasks.tests.link_walker import TASKS
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db


def test_values_are_stored_as_sent(alice: ApiClient) -> None:
    """An empty description and ``null`` must stay distinct (docs/contract.md, "A task")."""
    bodies = [
        {"title": "Buy milk", "description": description, "completed": completed}
        for description, completed in product([None, "", " ", "Two litres"], [False, True])
    ]

    created = [alice.send("POST", TASKS, body).json() for body in bodies]

    assert [{name: task[name] for name in bodies[0]} for task in created] == bodies
    assert [alice.send("GET", f"{TASKS}/{task['id']}").json() for task in created] == created


def test_a_task_belongs_to_the_tokens_user(alice: ApiClient) -> None:
    """The owner must be the caller, whatever the body says (FR-002, SC-002)."""
    created = alice.send("POST", TASKS, {"title": "Buy milk", "user_id": "bob"}).json()

    assert created["user_id"] == Task.objects.get().user_id == "alice"


def test_read_only_fields_are_ignored(alice: ApiClient, task: Task) -> None:
    """A whole task in the body must create a new task and leave the old one unchanged."""
    before = rows()
    sent = alice.send("GET", f"{TASKS}/{task.id}").json() | {"title": "Another"}

    created = alice.send("POST", TASKS, sent).json()

    assert created["id"] != task.id
    assert created["created_at"] > sent["created_at"]
    assert rows()[:-1] == before


def test_ignored_fields_are_not_validated(alice: ApiClient) -> None:
    """An ignored field may have any value (docs/contract.md, "A task")."""
    names = ["id", "user_id", "created_at", "updated_at", "priority", "", "é"]
    values: list[Any] = [None, "\0", "\ud800", 2**64, [], {"title": ""}]

    def outcome(field: tuple[str, Any]) -> Any:
        name, value = field
        response = alice.send("POST", TASKS, {"title": "Buy milk", name: value})
        return response.status_code, response.json()["title"], response.json()["user_id"]

    assert wrong_rows(product(names, values), outcome, (201, "Buy milk", "alice")) == []


def test_two_posts_create_two_tasks(alice: ApiClient) -> None:
    """Equal bodies must create two tasks; a new task's times must be equal (FR-009 to FR-011)."""
    first, second = (alice.send("POST", TASKS, {"title": "Buy milk"}).json() for _ in range(2))

    assert first["id"] < second["id"]
    assert first["created_at"] == first["updated_at"]
    assert Task.objects.count() == 2


MISSING = {"loc": ["body", "title"], "msg": "field required", "type": "value_error.missing"}
NULL = {"msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}
NULL_TITLE = {"loc": ["body", "title"], **NULL}
NULL_COMPLETED = {"loc": ["body", "completed"], **NULL}


@pytest.mark.parametrize(
    ("body", "problems", "error"),
    [
        ({}, [MISSING], "Title: field required"),
        ({"Title": "Buy milk"}, [MISSING], "Title: field required"),
        ({"title": None}, [NULL_TITLE], "Title: none is not an allowed value"),
        (
            {"title": "Buy milk", "completed": None},
            [NULL_COMPLETED],
            "Completed: none is not an allowed value",
        ),
        (
            {"completed": None, "description": None},
            [MISSING, NULL_COMPLETED],
            "Title: field required; Completed: none is not an allowed value",
        ),
    ],
    ids=str,
)
def test_missing_required_fields_are_listed(
    alice: ApiClient, body: object, problems: list[object], error: str
) -> None:
    """A missing title or forbidden ``null`` must be listed (docs/contract.md, "Errors"; FR-007)."""
    response = alice.send("POST", TASKS, body)

    assert response.status_code == 422
    assert response.json() == {"detail": problems, "error": error}
    assert rows() == []
