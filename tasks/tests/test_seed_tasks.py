"""``manage.py seed_tasks``: believable tasks to try things out on."""

import os
import signal
from collections import Counter

import pytest
from pytest_django.fixtures import Settings

from tasks.maintenance import seeding
from tasks.management.commands import seed_tasks
from tasks.models import Task
from tasks.tests.commands import manage, refusal
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


def test_it_must_be_forced_when_debug_is_false(settings: Settings) -> None:
    """Seeding a deployment must need an explicit choice, never an accident."""
    options = ["--users=1", "--tasks=2"]
    assert "Nobody gets tasks" in str(refusal("seed_tasks", "--users=0"))
    settings.DEBUG = False
    assert "DEBUG is false: --force stores" in str(refusal("seed_tasks", *options))
    assert rows() == []

    manage("seed_tasks", *options, "--force")
    assert owners() == {"user1": 2}


# the message: the options that it refuses
REFUSED = {
    "--users must be 0 to 100000": ["--users=-1", "--users=100001"],
    "--users: invalid int value": ["--users=ten"],
    "--tasks must be 1 to 10000000": ["--tasks=0", "--tasks=-5", "--tasks=99999999999"],
    "--tasks: invalid int value": ["--tasks=1.5"],
    "--completed must be 0 to 1": ["--completed=1.1", "--completed=-0.1", "--completed=nan"],
    "--completed: invalid float value": ["--completed=half"],
    "--days must be 1 to 36500": ["--days=0", "--days=99999999999"],
    "--seed: invalid int value": ["--seed=one"],
    "A user's id has 1 to 255 chara": ["--user=", f"--user={'x' * 256}", "--user=a\0b"],
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_input_is_refused(message: str) -> None:
    """A bad value must be an error that names the option, and nothing be stored."""
    said = [str(refusal("seed_tasks", "--user=alice", each)) for each in REFUSED[message]]

    assert [each for each in said if message not in each] == []
    assert rows() == []


def test_ctrl_c_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of tasks that were not all stored, none must be there; the exit code is a shell's for it."""
    TaskFactory.create()
    before = rows()

    def interrupted(*args: object, on_batch: object, **options: object) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return seeding.seed_tasks(*args, on_batch=on_batch, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(seed_tasks, "seed_tasks", interrupted)
    error = refusal("seed_tasks")

    assert (str(error), error.returncode) == ("Interrupted; no task was stored.", 130)
    assert rows() == before
