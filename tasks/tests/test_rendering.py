"""The rendered bytes, compared with the serializer and the standard library."""

import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from time_machine import travel

from conftest import ApiClient
from tasks.models import MAX_TASK_ID, TaskRow
from tasks.rendering import encode_task, encode_tasks
from tasks.serializers import TaskSerializer
from tasks.tests.link_walker import TASKS

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
# naive UTC; strftime does not pad years below 1000
times = st.datetimes(datetime(1000, 1, 1))  # noqa: DTZ001
tasks = st.builds(
    TaskRow,
    id=st.integers(1, MAX_TASK_ID),
    user_id=texts,
    title=texts,
    description=st.none() | texts,
    completed=st.booleans(),
    created_at=times | times.map(lambda time: time.replace(microsecond=0)),
    updated_at=times,
)


@settings(max_examples=300)
@given(st.lists(tasks, max_size=3))
def test_the_bytes_match_the_serializers(rows: list[TaskRow]) -> None:
    """The fast rendering must equal the serializer's (docs/contract.md, "A task")."""
    declared = TaskSerializer(rows, many=True).data  # type: ignore[arg-type]  # looks like a Task

    def encode(value: object) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    assert encode_tasks(rows) == encode(declared)
    assert [encode_task(row) for row in rows] == [encode(each) for each in declared]


@pytest.mark.django_db
def test_every_response_has_the_seven_keys_in_order() -> None:
    """Every response must show the current task (docs/contract.md, "A task"; FR-010 to FR-012).

    Fields absent from a POST have their defaults; times have six fractional digits.
    """
    with travel("2026-01-06T15:30:00Z", tick=False):
        alice = ApiClient("alice")
        created = alice.send("POST", TASKS, {"title": "Buy groceries"})
        path = f"{TASKS}/{created.json()['id']}"
        listed = alice.send("GET", TASKS)
    with travel("2026-01-06T16:00:00.5Z", tick=False):
        change = {"completed": True, "description": "Milk", "title": "Buy oat milk"}
        updated = alice.send("PUT", path, change)
        read = alice.send("GET", path)
    with travel("2026-01-06T16:15:00.123456Z", tick=False):
        flipped = alice.send("PATCH", f"{path}/complete")
    responses = [created, listed, updated, read, flipped]

    def shown(title: str, description: str | None, completed: bool, time: str) -> object:
        return [
            ("id", created.json()["id"]),
            ("user_id", "alice"),
            ("title", title),
            ("description", description),
            ("completed", completed),
            ("created_at", "2026-01-06T15:30:00.000000Z"),
            ("updated_at", f"2026-01-06T{time}Z"),
        ]

    new = shown("Buy groceries", None, False, "15:30:00.000000")
    done = shown("Buy oat milk", "Milk", True, "16:00:00.500000")
    reopened = shown("Buy oat milk", "Milk", False, "16:15:00.123456")
    assert [each.status_code for each in responses] == [201, 200, 200, 200, 200]
    assert [json.loads(each.content, object_pairs_hook=list) for each in responses] == [
        *(new, [new], done, done, reopened)
    ]
