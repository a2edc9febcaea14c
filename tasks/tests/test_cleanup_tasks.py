"""``manage.py cleanup_tasks``: delete what nobody needs any more."""

import io
import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError

from tasks.models import IdempotencyKey, Task, TaskQuerySet
from tasks.tests.aged_rows import DAY, key_of_age, task_of_age
from tasks.tests.better_auth import add_user, create_table
from tasks.tests.commands import Terminal, manage
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


@pytest.mark.usefixtures("_one_of_each")
def test_a_dry_run_says_exactly_how_many_of_each_and_deletes_nothing() -> None:
    """Each number must be what would be deleted; a task of two kinds counts once."""
    before = rows()

    printed = manage("cleanup_tasks", *EVERYTHING, "--dry-run")

    assert printed == (
        "Would delete 2 completed tasks unchanged for 90d, 2 tasks of orphans,"
        " 3 tasks of the user 'carol', 4 expired idempotency keys.\n"
    )
    assert rows() == before
    assert IdempotencyKey.objects.count() == 5


@pytest.mark.usefixtures("_one_of_each")
def test_it_deletes_what_the_dry_run_says() -> None:
    """One line must say what was deleted, and nothing else may be gone."""
    promised = manage("cleanup_tasks", *EVERYTHING, "--dry-run")

    printed = manage("cleanup_tasks", *EVERYTHING, "--no-input", "--batch-size=1")

    assert printed == promised.replace("Would delete", "Deleted")
    assert list(Task.objects.values_list("title", flat=True)) == ["Stays"]
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["stays"]


@pytest.mark.usefixtures("_one_of_each")
@pytest.mark.parametrize(
    ("arguments", "tasks", "keys"),
    [
        (OLD, 6, 5),
        (["--orphans"], 6, 5),
        (["--user=carol"], 4, 5),
        (["--user=nobody"], 8, 5),
        (["--idempotency-keys"], 8, 1),
        (["--completed", "--older-than=92d"], 8, 5),
    ],
)
def test_an_option_deletes_its_own_kind_and_no_other(
    arguments: list[str], tasks: int, keys: int
) -> None:
    """What was not named must stay."""
    manage("cleanup_tasks", *arguments, "--no-input")

    assert (Task.objects.count(), IdempotencyKey.objects.count()) == (tasks, keys)


@pytest.mark.parametrize("yes", ["y\n", "Yes\n", " YES \n"])
def test_a_yes_deletes(answer: Callable[[str], None], yes: str) -> None:
    """Whoever is asked must see how many it will be, beside the output."""
    task_of_age(91 * DAY)
    answer(yes)
    asked = io.StringIO()

    printed = manage("cleanup_tasks", *OLD, stderr=asked)

    assert "To delete: 1 completed tasks unchanged for 90d.\n" in asked.getvalue()
    assert asked.getvalue().endswith("[y/N] ")
    assert printed == "Deleted 1 completed tasks unchanged for 90d.\n"
    assert rows() == []


@pytest.mark.parametrize("no", ["n\n", "\n", "no\n", "yess\n", ""])
def test_anything_but_a_yes_deletes_nothing(answer: Callable[[str], None], no: str) -> None:
    """A slip or an end of the input must not delete."""
    task_of_age(91 * DAY)
    before = rows()
    answer(no)

    with pytest.raises(CommandError, match="Nothing was deleted"):
        manage("cleanup_tasks", *OLD, stderr=io.StringIO())

    assert rows() == before


def test_ctrl_c_at_the_question_deletes_nothing(
    answer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must be a no, and the exit code a shell's for it."""

    def interrupted() -> str:
        raise KeyboardInterrupt

    task_of_age(91 * DAY)
    before = rows()
    answer("y\n")
    monkeypatch.setattr("builtins.input", interrupted)

    with pytest.raises(CommandError, match="Deleted until then: nothing") as caught:
        manage("cleanup_tasks", *OLD, stderr=io.StringIO())

    assert caught.value.returncode == 130
    assert rows() == before


def test_where_there_is_nothing_nobody_is_asked(answer: Callable[[str], None]) -> None:
    """A question about nothing would be a nuisance."""
    answer("")

    assert manage("cleanup_tasks", *OLD) == "Deleted 0 completed tasks unchanged for 90d.\n"


def test_without_a_terminal_it_refuses_to_ask() -> None:
    """A job at night must fail at once, and not wait for an answer or take one for granted."""
    task_of_age(91 * DAY)
    before = rows()

    with pytest.raises(CommandError, match="no terminal to ask on: --no-input does not"):
        manage("cleanup_tasks", *OLD)

    assert rows() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to delete: --completed"),
        (["--completed"], "--completed and --older-than AGE go together"),
        (["--older-than=90d"], "--completed and --older-than AGE go together"),
        (["--older-than=90d", "--idempotency-keys"], "--completed and --older-than AGE go"),
        (["--completed", "--older-than="], "--older-than '': whole days, hours or minutes"),
        (["--completed", "--older-than=90"], "--older-than '90': whole days"),
        (["--completed", "--older-than=0d"], "--older-than '0d': whole days"),
        (["--completed", "--older-than=99999999999d"], "--older-than '99999999999d': whole days"),
        (["--user="], "A user's id has 1 to 255 characters"),
        (["--orphans"], "--orphans: This database has no table of Better Auth's users"),
        (["--orphans", "--force"], "--orphans: This database has no table of Better Auth's users"),
        ([*OLD, "--batch-size=0"], "--batch-size must be 1 to 100000"),
        ([*OLD, "--batch-size=100001"], "--batch-size must be 1 to 100000"),
        ([*OLD, "--batch-size=many"], "--batch-size: invalid int value"),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["--dry-run", "--no-input"])
def test_bad_input_is_refused(arguments: list[str], message: str, way: str) -> None:
    """An error must name the option, and nothing be deleted."""
    task_of_age(91 * DAY)
    key_of_age(91 * DAY)
    before = rows()

    with pytest.raises(CommandError, match=message):
        manage("cleanup_tasks", *arguments, way)

    assert rows() == before
    assert IdempotencyKey.objects.count() == 1


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
    with pytest.raises(CommandError) as caught:
        manage("cleanup_tasks", *OLD, "--no-input", "--batch-size=2")

    assert str(caught.value) == (
        "Interrupted. Deleted until then: 2 completed tasks unchanged for 90d."
    )
    assert caught.value.returncode == 130
    assert Task.objects.count() == 3


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person must see how far it is, on standard error."""
    task_of_age(91 * DAY)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    printed = manage("cleanup_tasks", *OLD, "--no-input")

    assert "0%|" in terminal.getvalue()
    assert "%|" not in printed


def test_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """A log must have the one line of the summary and nothing else."""
    task_of_age(91 * DAY)

    assert manage("cleanup_tasks", *OLD, "--no-input").count("\n") == 1
    assert capsys.readouterr() == ("", "")
