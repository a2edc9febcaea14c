"""``manage.py seed_tasks``: believable tasks to try things out on."""

import os
import signal
from collections import Counter

import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from tasks import seeding
from tasks.management.commands import seed_tasks
from tasks.models import Task
from tasks.tests.commands import Terminal, manage
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def owners() -> dict[str, int]:
    """Count the tasks of each user."""
    return dict(Counter(Task.objects.order_by("id").values_list("user_id", flat=True)))


def test_ten_made_up_users_get_a_hundred_tasks_each() -> None:
    """Without options there must be something to see; a line must say what."""
    assert manage("seed_tasks") == "Stored 1000 tasks (100 each, users: 10).\n"
    assert owners() == {f"user{number}": 100 for number in range(1, 11)}


def test_whom_user_names_gets_them_and_nobody_else() -> None:
    """``--user`` must be enough to fill somebody's list, or several people's."""
    manage("seed_tasks", "--user=alice", "--user=7", "--tasks=3", "--user=alice")

    assert owners() == {"alice": 3, "7": 3}


def test_named_and_made_up_users_get_them_together() -> None:
    """``--user`` and ``--users`` must add up, and nobody count twice."""
    manage("seed_tasks", "--users=2", "--user=alice", "--user=user1", "--tasks=3")

    assert owners() == {"alice": 3, "user1": 3, "user2": 3}


def test_all_options_reach_the_tasks() -> None:
    """The share, the days and the seed must count."""
    arguments = ["--users=1", "--tasks=20", "--completed=0.5", "--days=2", "--seed=1"]
    for _ in range(2):
        manage("seed_tasks", *arguments)
    first, second = rows()[:20], rows()[20:]

    assert Task.objects.filter(completed=True).count() == 20
    assert [row[2:5] for row in first] == [row[2:5] for row in second]
    assert 1.5 < (first[-1][5] - first[0][5]).total_seconds() / 86400 < 2


def test_it_refuses_when_debug_is_false(settings: Settings) -> None:
    """Nobody must fill a deployment's table by accident."""
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG is false: --force stores"):
        manage("seed_tasks")

    assert rows() == []


def test_it_can_be_forced_when_debug_is_false(settings: Settings) -> None:
    """A deployment may be tried out; whoever does must only mean it."""
    settings.DEBUG = False

    manage("seed_tasks", "--users=1", "--tasks=2", "--force")

    assert owners() == {"user1": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--users=-1"], "--users must be 0 to 100000"),
        (["--users=100001"], "--users must be 0 to 100000"),
        (["--users=ten"], "--users: invalid int value"),
        (["--users=0"], "Nobody gets tasks"),
        (["--tasks=0"], "--tasks must be 1 to 10000000"),
        (["--tasks=-5"], "--tasks must be 1 to 10000000"),
        (["--tasks=99999999999"], "--tasks must be 1 to 10000000"),
        (["--tasks=1.5"], "--tasks: invalid int value"),
        (["--completed=1.1"], "--completed must be 0 to 1"),
        (["--completed=-0.1"], "--completed must be 0 to 1"),
        (["--completed=nan"], "--completed must be 0 to 1"),
        (["--completed=half"], "--completed: invalid float value"),
        (["--days=0"], "--days must be 1 to 36500"),
        (["--days=99999999999"], "--days must be 1 to 36500"),
        (["--seed=one"], "--seed: invalid int value"),
        (["--user="], "A user's id has 1 to 255 characters"),
        (["--user=alice", f"--user={'x' * 256}"], "A user's id has 1 to 255 characters"),
        (["--user=a\0b"], "A user's id has 1 to 255 characters"),
    ],
    ids=ascii,
)
def test_bad_input_is_refused(arguments: list[str], message: str) -> None:
    """A bad value must be an error that names the option, and nothing be stored."""
    with pytest.raises(CommandError, match=message):
        manage("seed_tasks", *arguments)

    assert rows() == []


def test_ctrl_c_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of tasks that were not all stored, none must be there; the exit code is a shell's for it."""
    TaskFactory.create()
    before = rows()

    def interrupted(*args: object, on_batch: object, **options: object) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return seeding.seed_tasks(*args, on_batch=on_batch, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(seed_tasks, "seed_tasks", interrupted)
    with pytest.raises(CommandError, match="Interrupted; no task was stored") as caught:
        manage("seed_tasks")

    assert caught.value.returncode == 130
    assert rows() == before


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person must see how far it is, on standard error."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    printed = manage("seed_tasks", "--users=1")

    assert "0%|" in terminal.getvalue()
    assert "%|" not in printed


def test_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """A log must have the one line of the summary and nothing else."""
    printed = manage("seed_tasks", "--users=1")

    assert printed.count("\n") == 1
    assert capsys.readouterr() == ("", "")
