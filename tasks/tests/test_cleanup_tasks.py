"""``manage.py cleanup_tasks``: delete what nobody needs any more."""

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
def _one_of_each() -> None:
    """Store old ones, orphans, Carol's and keys, in different numbers, and what is to stay."""
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
    """Let a person at a terminal type something."""

    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal(text))

    return type_in


def refused(*arguments: str, **options: Any) -> CommandError:
    """Return the error that a clean-up ends with, which must delete nothing."""
    before = (rows(), IdempotencyKey.objects.count())
    error = refusal("cleanup_tasks", *arguments, **options)
    assert (rows(), IdempotencyKey.objects.count()) == before
    return error


@pytest.mark.usefixtures("_one_of_each")
def test_it_deletes_exactly_what_a_dry_run_says() -> None:
    """Each number must be what is deleted, a task of two kinds counting once; no other may go."""
    before = rows()

    promised = manage("cleanup_tasks", *EVERYTHING, "--dry-run")
    untouched = (rows(), IdempotencyKey.objects.count())
    printed = manage("cleanup_tasks", *EVERYTHING, "--no-input", "--batch-size=1")

    assert promised == (
        "Would delete 2 completed tasks unchanged for 90d, 2 tasks of orphans,"
        " 3 tasks of the user 'carol', 4 expired idempotency keys.\n"
    )
    assert (untouched, printed) == ((before, 5), promised.replace("Would delete", "Deleted"))
    assert [task.title for task in Task.objects.all()] == ["Stays"]
    assert [key.key for key in IdempotencyKey.objects.all()] == ["stays"]


@pytest.mark.usefixtures("_one_of_each")
def test_an_option_deletes_its_own_kind_and_no_other() -> None:
    """What was not named must stay."""
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
    """Count the tasks and keys that a clean-up leaves, and take it back."""
    with transaction.atomic():
        manage("cleanup_tasks", *arguments, "--no-input")
        left = (Task.objects.count(), IdempotencyKey.objects.count())
        transaction.set_rollback(True)
    return left


def test_a_yes_deletes(answer: Callable[[str], None]) -> None:
    """Whoever is asked must see how many it will be, beside the output."""
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
    """A slip or an end of the input must not delete."""
    task_of_age(91 * DAY)
    answer(no)

    assert "Nothing was deleted" in str(refused(*OLD, stderr=io.StringIO()))


def test_ctrl_c_at_the_question_deletes_nothing(
    answer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must be a no, and the exit code a shell's for it."""
    task_of_age(91 * DAY)
    answer("")
    monkeypatch.setattr("builtins.input", lambda: os.kill(os.getpid(), signal.SIGINT))

    error = refused(*OLD, stderr=io.StringIO())

    assert "Deleted until then: nothing" in str(error)
    assert error.returncode == 130


def test_where_there_is_nothing_nobody_is_asked(answer: Callable[[str], None]) -> None:
    """A question about nothing would be a nuisance."""
    answer("")

    assert manage("cleanup_tasks", *OLD) == "Deleted 0 completed tasks unchanged for 90d.\n"


def test_without_a_terminal_it_refuses_to_ask() -> None:
    """A job at night must fail at once, and not wait for an answer or take one for granted."""
    task_of_age(91 * DAY)

    assert "no terminal to ask on: --no-input does not" in str(refused(*OLD))


TOGETHER = "--completed and --older-than AGE go together"
NO_TABLE = "--orphans: This database has no table of Better Auth's users"
BATCH_SIZE = "--batch-size must be 1 to 100000"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to delete: --completed"),
        (["--completed"], TOGETHER),
        (["--older-than=90d"], TOGETHER),
        (["--older-than=90d", "--idempotency-keys"], TOGETHER),
        (["--completed", "--older-than="], "--older-than '': whole days, hours or minutes"),
        (["--completed", "--older-than=90"], "--older-than '90': whole days"),
        (["--user="], "A user's id has 1 to 255 characters"),
        (["--orphans"], NO_TABLE),
        (["--orphans", "--force"], NO_TABLE),
        ([*OLD, "--batch-size=0"], BATCH_SIZE),
        ([*OLD, "--batch-size=100001"], BATCH_SIZE),
        ([*OLD, "--batch-size=many"], "--batch-size: invalid int value"),
    ],
    ids=str,
)
def test_bad_input_is_refused(arguments: list[str], message: str) -> None:
    """An error must name the option, and nothing be deleted."""
    task_of_age(91 * DAY)
    key_of_age(91 * DAY)

    refusals = [str(refused(*arguments, way)) for way in ("--dry-run", "--no-input")]

    assert [each for each in refusals if message not in each] == []


def test_force_deletes_most_owners_tasks() -> None:
    """Whoever has moved for good must be able to say so."""
    create_table()
    TaskFactory.create(user_id="bob")

    manage("cleanup_tasks", "--orphans", "--force", "--no-input")

    assert rows() == []


def test_ctrl_c_stops_between_batches_and_says_what_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number must be exact, and the exit code a shell's for Ctrl-C."""
    for _ in range(5):
        task_of_age(91 * DAY)
    delete = TaskQuerySet.delete

    def delete_and_press(tasks: TaskQuerySet) -> tuple[int, dict[str, int]]:
        os.kill(os.getpid(), signal.SIGINT)
        return delete(tasks)

    monkeypatch.setattr(TaskQuerySet, "delete", delete_and_press)
    error = refusal("cleanup_tasks", *OLD, "--no-input", "--batch-size=2")

    assert str(error) == "Interrupted. Deleted until then: 2 completed tasks unchanged for 90d."
    assert (error.returncode, Task.objects.count()) == (130, 3)
