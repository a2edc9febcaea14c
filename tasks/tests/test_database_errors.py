"""Commands on a database that cannot do what they ask of it."""

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

HINT = "Where a table is missing, run manage.py migrate."


def test_a_database_without_the_tables_is_named_in_a_sentence(tmp_path: Path) -> None:
    """Whoever forgot to migrate must read what to do, and no stack trace."""
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

    def is_sentence(arguments: list[str]) -> bool | str:
        with pytest.raises(CommandError) as caught, transaction.atomic():
            manage(*arguments)
        said = str(caught.value)  # on one line
        return bool(re.fullmatch(rf"Database error: .*task.*\. {HINT}.*", said)) or said

    assert wrong_rows(commands, is_sentence, True) == []


def test_a_database_that_goes_away_leaves_the_number_of_what_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Batches that are deleted stay deleted; a person must know how many."""
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
        " Deleted until then: 2 completed tasks unchanged for 90d."
    )
    assert Task.objects.count() == 1
