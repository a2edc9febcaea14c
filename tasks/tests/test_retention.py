"""What is deleted because nobody needs it any more."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tasks.idempotency import KEY_LIFETIME
from tasks.maintenance.retention import (
    OrphansError,
    expired_idempotency_keys,
    moment_before,
    orphans,
)
from tasks.models import Task
from tasks.tests.aged_rows import DAY, key_of_age, task_of_age
from tasks.tests.better_auth import add_user, create_table, execute
from tasks.tests.factories import TaskFactory

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


def test_a_duration_counts_back_from_now() -> None:
    """Days, hours and minutes must be what they are called."""
    moments = {
        "1d": datetime(2026, 1, 5, 12, tzinfo=UTC),
        "90d": datetime(2025, 10, 8, 12, tzinfo=UTC),
        "12h": datetime(2026, 1, 6, tzinfo=UTC),
        "30m": datetime(2026, 1, 6, 11, 30, tzinfo=UTC),
    }

    with time_machine.travel(NOON, tick=False):
        assert {duration: moment_before(duration) for duration in moments} == moments


@pytest.mark.parametrize(
    "duration",
    [
        *("", "d", "90", "90 d", " 90d", "90d\n", "0d", "-1d", "1.5d", "090d", "1w", "1D", "1d2h"),
        *("\N{ARABIC-INDIC DIGIT THREE}d", "99999999999d", "9999999d", f"{'9' * 5000}m"),
    ],
    ids=lambda duration: ascii(duration)[:20],
)
def test_what_is_no_duration_is_refused(duration: str) -> None:
    """A slip must not become another age: what is deleted does not come back."""
    with pytest.raises(ValueError, match=r"duration|long ago|digits"):
        moment_before(duration)


@pytest.mark.django_db
def test_completed_tasks_count_from_their_last_change() -> None:
    """A task is old when nobody has touched it for so long, and it is done."""
    with time_machine.travel(NOON, tick=False):
        old = task_of_age(2 * DAY)
        task_of_age(DAY)
        task_of_age(2 * DAY, completed=False)
        changed = task_of_age(2 * DAY)
        Task.objects.filter(id=changed.id).update(updated_at=NOON)

    assert list(Task.objects.completed_before(NOON - DAY)) == [old]


@pytest.mark.django_db
def test_a_key_expires_after_its_lifetime() -> None:
    """A key must be kept for at least 24 hours (docs/contract.md, "What goes beyond the plan")."""
    with time_machine.travel(NOON, tick=False):
        key_of_age(KEY_LIFETIME, "just kept")
        expired = key_of_age(KEY_LIFETIME + timedelta(microseconds=1), "expired")

        assert list(expired_idempotency_keys()) == [expired]
    assert timedelta(hours=24) <= KEY_LIFETIME


@pytest.mark.django_db
@pytest.mark.parametrize("is_forced", [False, True])
@pytest.mark.parametrize("has_another", [False, True])
def test_without_the_table_nobody_can_be_told_to_be_an_orphan(
    has_another: bool, is_forced: bool
) -> None:
    """Without users to compare with, or with an old back end's, no owner counts as missing."""
    if has_another:
        execute('CREATE TABLE "user" (id text PRIMARY KEY, email text, password_hash text)')
        execute("INSERT INTO \"user\" (id, email) VALUES ('bob', 'b@example.com')")
    TaskFactory.create()

    with pytest.raises(OrphansError, match="no table of Better Auth's users"):
        orphans(is_forced=is_forced)


@pytest.mark.django_db
def test_in_an_empty_table_nobody_is_missing_unless_forced() -> None:
    """A table that was only just made must not cost everybody their tasks."""
    create_table()
    task = TaskFactory.create()

    with pytest.raises(OrphansError, match="table of users is empty"):
        orphans()
    assert list(orphans(is_forced=True)) == [task]


@pytest.fixture
def _alice(db: None) -> None:
    """Let alice be the only user."""
    create_table()
    add_user("alice", "ada@example.com")


@pytest.mark.usefixtures("_alice")
def test_more_than_half_of_the_owners_are_no_orphans_unless_forced() -> None:
    """After a move from another log-in every owner looks like an orphan."""
    for user in ["alice"] * 5 + ["bob", "carol"]:
        TaskFactory.create(user_id=user)

    with pytest.raises(OrphansError, match="2 of 3 owners"):
        orphans()
    assert orphans(is_forced=True).count() == 2


@pytest.mark.usefixtures("_alice")
def test_half_of_the_owners_may_be_orphans() -> None:
    """Owners count, not their tasks: one of two is not more than half, and none of none neither."""
    without_tasks = orphans().count()
    TaskFactory.create(user_id="alice")
    TaskFactory.create_batch(5, user_id="bob")

    assert (without_tasks, orphans().count()) == (0, 5)


@pytest.mark.usefixtures("_alice")
def test_whoever_signs_up_before_the_deletion_keeps_their_tasks() -> None:
    """Who is missing must be decided by the statement that deletes."""
    TaskFactory.create(user_id="alice")
    TaskFactory.create(user_id="bob")
    found = orphans()
    before = found.count()

    add_user("bob", "bob@example.com")

    assert (before, found.delete()[0], Task.objects.count()) == (1, 0, 2)
