"""Tests of ``manage.py seed_tasks``."""

import os
import signal
from collections import Counter

import pytest
from pytest_django.fixtures import Settings

from tasks.models import Task, TaskQuerySet
from tasks.tests.commands import manage, refusal
from tasks.tests.factories import TaskFactory, rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def owners() -> dict[str, int]:
    """Count the tasks of each user."""
    return dict(Counter(Task.objects.order_by("id").values_list("user_id", flat=True)))


def test_the_default_is_ten_users_with_a_hundred_tasks_each() -> None:
    """Without options, the command must create tasks and print a summary."""
    assert manage("seed_tasks") == "Created 1000 tasks (100 each, users: 10).\n"
    assert owners() == {f"user{number}": 100 for number in range(1, 11)}


def test_user_creates_tasks_for_these_users_only() -> None:
    """With ``--user``, no generated users may get tasks."""
    manage("seed_tasks", "--user=alice", "--user=7", "--tasks=3", "--user=alice")

    assert owners() == {"alice": 3, "7": 3}


def test_user_and_users_can_be_combined() -> None:
    """``--user`` and ``--users`` must add up, without duplicates."""
    manage("seed_tasks", "--users=2", "--user=alice", "--user=user1", "--tasks=3")

    assert owners() == {"alice": 3, "user1": 3, "user2": 3}


def test_all_options_are_applied() -> None:
    """``--completed``, ``--days`` and ``--seed`` must affect the tasks."""
    arguments = ["--users=1", "--tasks=20", "--completed=0.5", "--days=2", "--seed=1"]
    for _ in range(2):
        manage("seed_tasks", *arguments)
    first, second = rows()[:20], rows()[20:]

    assert Task.objects.filter(completed=True).count() == 20
    assert [row[2:5] for row in first] == [row[2:5] for row in second]
    assert 1.5 < (first[-1][5] - first[0][5]).total_seconds() / 86400 < 2


def test_force_is_required_if_debug_is_false(settings: Settings) -> None:
    """Seeding a deployment must require ``--force``."""
    options = ["--users=1", "--tasks=2"]
    assert "No users: " in str(refusal("seed_tasks", "--users=0"))
    settings.DEBUG = False
    assert "DEBUG is false: use --force" in str(refusal("seed_tasks", *options))
    assert rows() == []

    manage("seed_tasks", *options, "--force")
    assert owners() == {"user1": 2}


# message: the options that cause it
REFUSED = {
    "--users must be 0 to 100000": ["--users=-1", "--users=100001"],
    "--users: invalid int value": ["--users=ten"],
    "--tasks must be 1 to 10000000": ["--tasks=0", "--tasks=-5", "--tasks=99999999999"],
    "--tasks: invalid int value": ["--tasks=1.5"],
    "--completed must be 0 to 1": ["--completed=1.1", "--completed=-0.1", "--completed=nan"],
    "--completed: invalid float value": ["--completed=half"],
    "--days must be 1 to 36500": ["--days=0", "--days=99999999999"],
    "--seed: invalid int value": ["--seed=one"],
    "A user id must have 1 to 255 chara": ["--user=", f"--user={'x' * 256}", "--user=a\0b"],
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_input_is_refused(message: str) -> None:
    """The error must name the option, and nothing may be created."""
    errors = [str(refusal("seed_tasks", "--user=alice", each)) for each in REFUSED[message]]

    assert [error for error in errors if message not in error] == []
    assert rows() == []


def test_ctrl_c_creates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted run must create nothing and exit with code 130."""
    TaskFactory.create()
    before, bulk_create = rows(), TaskQuerySet.bulk_create

    def create_and_press(queryset: TaskQuerySet, tasks: list[Task]) -> None:
        bulk_create(queryset, tasks)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(TaskQuerySet, "bulk_create", create_and_press)
    error = refusal("seed_tasks")

    assert (str(error), error.returncode) == ("Interrupted. No tasks were created.", 130)
    assert rows() == before
