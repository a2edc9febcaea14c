"""Tests of ``manage.py cleanup_tasks``."""

import io
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import transaction

from tasks.models import IdempotencyKey, Task, TaskQuerySet
from tasks.tests.aged_rows import DAY, key_of_age, task_of_age
from tasks.tests.better_auth import add_user, create_table
from tasks.tests.commands import Terminal, manage, refusal
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db

OLD = ("--completed", "--older-than=90d")
EVERYTHING = (*OLD, "--orphans", "--user=carol", "--idempotency-keys")


@pytest.fixture
def _rows_of_each_kind() -> None:
    """Create rows of each kind that cleanup can delete, and rows that must be kept."""
    create_table()
    for user in ("alice", "carol", "dave"):
        add_user(user, f"{user}@example.com")
    task_of_age(91 * DAY)
    for _ in range(2):
        TaskFactory.create(user_id="bob")
    for _ in range(3):
        TaskFactory.create(user_id="carol")
    task_of_age(91 * DAY, user_id="carol")
    for number in range(4):
        key_of_age(timedelta(hours=25), str(number))
    TaskFactory.create(user_id="dave", title="Stays")
    key_of_age(timedelta(hours=23), "stays")


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that types an answer at a terminal."""

    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal(text))

    return type_in


def refused(*arguments: str, **options: Any) -> CommandError:
    """Run a cleanup that must fail and delete nothing; return its error."""
    before = (rows(), IdempotencyKey.objects.count())
    error = refusal("cleanup_tasks", *arguments, **options)
    assert (rows(), IdempotencyKey.objects.count()) == before
    return error


@pytest.mark.usefixtures("_rows_of_each_kind")
def test_it_deletes_exactly_what_a_dry_run_announces() -> None:
    """The counts must be exact, and a task that two options select must be counted once."""
    before = rows()

    announced = manage("cleanup_tasks", *EVERYTHING, "--dry-run")
    untouched = (rows(), IdempotencyKey.objects.count())
    printed = manage("cleanup_tasks", *EVERYTHING, "--no-input", "--batch-size=1")

    assert announced == (
        "Would delete 2 completed tasks unchanged for 90d, 2 tasks of orphans,"
        " 3 tasks of the user 'carol', 4 expired idempotency keys.\n"
    )
    assert (untouched, printed) == ((before, 5), announced.replace("Would delete", "Deleted"))
    assert [task.title for task in Task.objects.all()] == ["Stays"]
    assert [key.key for key in IdempotencyKey.objects.all()] == ["stays"]


@pytest.mark.usefixtures("_rows_of_each_kind")
def test_an_option_deletes_only_its_own_kind() -> None:
    """Rows that no option selects must be kept."""
    left = {
        OLD: (6, 5),
        ("--orphans",): (6, 5),
        ("--user=carol",): (4, 5),
        ("--user=nobody",): (8, 5),
        ("--idempotency-keys",): (8, 1),
        ("--completed", "--older-than=92d"): (8, 5),
    }

    assert {arguments: left_by(*arguments) for arguments in left} == left


def left_by(*arguments: str) -> tuple[int, int]:
    """Run a cleanup and roll it back; return how many tasks and keys it left."""
    with transaction.atomic():
        manage("cleanup_tasks", *arguments, "--no-input")
        left = (Task.objects.count(), IdempotencyKey.objects.count())
        transaction.set_rollback(True)
    return left


def test_a_yes_deletes(answer: Callable[[str], None]) -> None:
    """The counts must be shown on standard error before the prompt; a yes must delete the rows."""
    for yes in ("y\n", "Yes\n", " YES \n"):
        task_of_age(91 * DAY)
        answer(yes)
        asked = io.StringIO()

        printed = manage("cleanup_tasks", *OLD, stderr=asked)

        assert "To delete: 1 completed tasks unchanged for 90d.\n" in asked.getvalue()
        assert asked.getvalue().endswith("[y/N] ")
        assert (printed, rows()) == ("Deleted 1 completed tasks unchanged for 90d.\n", [])


@pytest.mark.parametrize("no", ["n\n", "\n", "no\n", "yess\n", ""])
def test_anything_but_a_yes_deletes_nothing(answer: Callable[[str], None], no: str) -> None:
    """Any other answer, or end of input, must delete nothing."""
    task_of_age(91 * DAY)
    answer(no)

    assert "Nothing was deleted" in str(refused(*OLD, stderr=io.StringIO()))


def test_ctrl_c_at_the_confirmation_deletes_nothing(
    answer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must cancel with exit code 130."""
    task_of_age(91 * DAY)
    answer("")
    monkeypatch.setattr("builtins.input", lambda: os.kill(os.getpid(), signal.SIGINT))

    error = refused(*OLD, stderr=io.StringIO())

    assert (str(error), error.returncode) == ("Interrupted. Nothing was deleted.", 130)


def test_it_does_not_ask_if_there_is_nothing_to_delete(answer: Callable[[str], None]) -> None:
    """If no rows match, the command must not ask for confirmation."""
    answer("")

    assert manage("cleanup_tasks", *OLD) == "Deleted 0 completed tasks unchanged for 90d.\n"


def test_without_a_terminal_no_input_is_required() -> None:
    """A scheduled job without ``--no-input`` must fail at once."""
    task_of_age(91 * DAY)

    assert "No terminal for the confirmation; use --no-input" in str(refused(*OLD))


TOGETHER = "--completed and --older-than AGE go together"
NO_TABLE = "--orphans: This database has no Better Auth user table"
BATCH_SIZE = "--batch-size must be 1 to 100000"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Nothing to delete: use --completed"),
        (["--completed"], TOGETHER),
        (["--older-than=90d"], TOGETHER),
        (["--older-than=90d", "--idempotency-keys"], TOGETHER),
        (["--completed", "--older-than="], "--older-than '': use whole days, hours or minutes"),
        (["--completed", "--older-than=90"], "--older-than '90': use whole days"),
        (["--user="], "A user id must have 1 to 255 characters"),
        (["--orphans"], NO_TABLE),
        (["--orphans", "--force"], NO_TABLE),
        ([*OLD, "--batch-size=0"], BATCH_SIZE),
        ([*OLD, "--batch-size=100001"], BATCH_SIZE),
        ([*OLD, "--batch-size=many"], "--batch-size: invalid int value"),
    ],
    ids=str,
)
def test_bad_input_is_refused(arguments: list[str], message: str) -> None:
    """The error must state the problem, and nothing may be deleted."""
    task_of_age(91 * DAY)
    key_of_age(91 * DAY)

    refusals = [str(refused(*arguments, way)) for way in ("--dry-run", "--no-input")]

    assert [each for each in refusals if message not in each] == []


def test_force_allows_most_owners_to_be_orphans() -> None:
    """``--force`` must delete orphans even if the user table is empty."""
    create_table()
    TaskFactory.create(user_id="bob")

    manage("cleanup_tasks", "--orphans", "--force", "--no-input")

    assert rows() == []


def test_ctrl_c_stops_after_a_batch_and_reports_the_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C must end the command after the current batch, with the count and exit code 130."""
    for _ in range(5):
        task_of_age(91 * DAY)
    delete = TaskQuerySet.delete

    def press_and_delete(tasks: TaskQuerySet) -> tuple[int, dict[str, int]]:
        os.kill(os.getpid(), signal.SIGINT)
        return delete(tasks)

    monkeypatch.setattr(TaskQuerySet, "delete", press_and_delete)
    error = refusal("cleanup_tasks", *OLD, "--no-input", "--batch-size=2")

    assert str(error) == "Interrupted. Deleted so far: 2 completed tasks unchanged for 90d."
    assert (error.returncode, Task.objects.count()) == (130, 3)
