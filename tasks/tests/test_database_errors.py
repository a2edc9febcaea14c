"""Database errors in the commands."""

from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from tasks.models import Task, TaskQuerySet
from tasks.tests.aged_rows import DAY, task_of_age
from tasks.tests.commands import manage
from tasks.tests.jsonl import line

pytestmark = pytest.mark.django_db


def test_a_missing_table_is_reported_with_what_was_done(tmp_path: Path) -> None:
    """The error must reach ``manage.py``, which explains it, with a note of the outcome."""
    file = tmp_path / "tasks.jsonl"
    file.write_bytes(line())
    commands = {
        "No tasks were created.": ["seed_tasks", "--users=1", "--tasks=1", "--force"],
        "Nothing was deleted.": ["cleanup_tasks", "--user=alice", "--no-input"],
        "The export is incomplete.": ["export_tasks", "--user=alice"],
        "No tasks were imported.": ["import_tasks", str(file)],
    }
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE task RENAME TO elsewhere")

    def notes(outcome: str) -> list[str]:
        with pytest.raises(DatabaseError, match="task") as caught, transaction.atomic():
            manage(*commands[outcome])
        return caught.value.__notes__

    assert {outcome: notes(outcome) for outcome in commands} == {each: [each] for each in commands}


def test_a_lost_connection_is_reported_with_the_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error must say how many rows the committed batches have deleted."""
    for _ in range(3):
        task_of_age(91 * DAY)
    delete, batches = TaskQuerySet.delete, iter([1])

    def delete_once(tasks: TaskQuerySet) -> tuple[int, dict[str, int]]:
        if next(batches, None) is None:
            raise OperationalError("the connection is lost\nIs the server running?")
        return delete(tasks)

    monkeypatch.setattr(TaskQuerySet, "delete", delete_once)
    with pytest.raises(OperationalError) as caught:
        manage("cleanup_tasks", "--completed", "--older-than=90d", "--no-input", "--batch-size=2")

    assert caught.value.__notes__ == ["Deleted so far: 2 completed tasks unchanged for 90d."]
    assert Task.objects.count() == 1
