"""Database errors in the commands."""

import re
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection, transaction

from tasks.models import Task, TaskQuerySet
from tasks.tests.aged_rows import DAY, task_of_age
from tasks.tests.commands import manage
from tasks.tests.jsonl import line
from tasks.tests.tables import wrong_rows

pytestmark = pytest.mark.django_db

HINT = "If a table is missing, run manage.py migrate."


def test_a_missing_table_is_reported_with_a_hint(tmp_path: Path) -> None:
    """If a table is missing, the error must be a single line that suggests ``migrate``."""
    file = tmp_path / "tasks.jsonl"
    file.write_bytes(line())
    commands = [
        ["seed_tasks", "--users=1", "--tasks=1", "--force"],
        ["cleanup_tasks", "--user=alice", "--no-input"],
        ["export_tasks", "--user=alice"],
        ["import_tasks", str(file)],
    ]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE task RENAME TO elsewhere")

    def is_one_line(arguments: list[str]) -> bool | str:
        with pytest.raises(CommandError) as caught, transaction.atomic():
            manage(*arguments)
        message = str(caught.value)
        return bool(re.fullmatch(rf"Database error: .*task.*\. {HINT}.*", message)) or message

    assert wrong_rows(commands, is_one_line, True) == []


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
    with pytest.raises(CommandError) as caught:
        manage("cleanup_tasks", "--completed", "--older-than=90d", "--no-input", "--batch-size=2")

    assert str(caught.value) == (
        f"Database error: the connection is lost. {HINT}"
        " Deleted so far: 2 completed tasks unchanged for 90d."
    )
    assert Task.objects.count() == 1
