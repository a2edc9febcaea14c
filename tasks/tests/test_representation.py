"""The bytes of a task, beside what the serializer and the standard library make of it."""

import json
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.models import MAX_TASK_ID, TaskRow
from tasks.representation import encode_task, encode_tasks
from tasks.serializers import TaskSerializer

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
# in UTC, without a zone; strftime writes years of fewer digits as they are, and no clock shows one
moments = st.datetimes(datetime(1000, 1, 1))  # noqa: DTZ001
tasks = st.builds(
    TaskRow,
    id=st.integers(1, MAX_TASK_ID),
    user_id=texts,
    title=texts,
    description=st.none() | texts,
    completed=st.booleans(),
    created_at=moments | moments.map(lambda moment: moment.replace(microsecond=0)),
    updated_at=moments,
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(tasks, max_size=3))
def test_the_bytes_are_those_of_the_serializer(rows: list[TaskRow]) -> None:
    """What is written fast must be what the serializer declares (contract.md "A task")."""
    declared = TaskSerializer(rows, many=True).data  # type: ignore[arg-type]  # looks like a Task

    def encode(value: object) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    assert encode_tasks(rows) == encode(declared)
    assert [encode_task(row) for row in rows] == [encode(each) for each in declared]
