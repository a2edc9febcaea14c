"""The selection of rows to clean up."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tasks.idempotency import KEY_LIFETIME
from tasks.maintenance.retention import OrphansError, expired_idempotency_keys, orphans, time_ago
from tasks.models import Task
from tasks.tests.aged_rows import DAY, key_of_age, task_of_age
from tasks.tests.better_auth import add_user, create_table, execute
from tasks.tests.factories import TaskFactory

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


def test_a_duration_is_subtracted_from_now() -> None:
    """Days, hours and minutes must be supported."""
    times = {
        "1d": datetime(2026, 1, 5, 12, tzinfo=UTC),
        "90d": datetime(2025, 10, 8, 12, tzinfo=UTC),
        "12h": datetime(2026, 1, 6, tzinfo=UTC),
        "30m": datetime(2026, 1, 6, 11, 30, tzinfo=UTC),
    }

    with time_machine.travel(NOON, tick=False):
        assert {duration: time_ago(duration) for duration in times} == times


@pytest.mark.parametrize(
    "duration",
    [
        *("", "d", "90", "90 d", " 90d", "90d\n", "0d", "-1d", "1.5d", "090d", "1w", "1D", "1d2h"),
        *("\N{ARABIC-INDIC DIGIT THREE}d", "99999999999d", "9999999d", f"{'9' * 5000}m"),
    ],
    ids=lambda duration: ascii(duration)[:20],
)
def test_an_invalid_duration_is_rejected(duration: str) -> None:
    """A typo must not be read as a different duration."""
    with pytest.raises(ValueError, match=r"duration|long ago|digits"):
        time_ago(duration)


@pytest.mark.django_db
def test_completed_tasks_are_selected_by_their_last_change() -> None:
    """Only a completed task whose ``updated_at`` is old enough may be selected."""
    with time_machine.travel(NOON, tick=False):
        old = task_of_age(2 * DAY)
        task_of_age(DAY)
        task_of_age(2 * DAY, completed=False)
        changed = task_of_age(2 * DAY)
        Task.objects.filter(id=changed.id).update(updated_at=NOON)

    assert list(Task.objects.completed_before(NOON - DAY)) == [old]


@pytest.mark.django_db
def test_a_key_expires_after_its_lifetime() -> None:
    """A key must be kept for at least 24 hours (docs/contract.md, "Extensions")."""
    with time_machine.travel(NOON, tick=False):
        key_of_age(KEY_LIFETIME, "just kept")
        expired = key_of_age(KEY_LIFETIME + timedelta(microseconds=1), "expired")

        assert list(expired_idempotency_keys()) == [expired]
    assert timedelta(hours=24) <= KEY_LIFETIME


@pytest.mark.django_db
@pytest.mark.parametrize("is_forced", [False, True])
@pytest.mark.parametrize("has_another", [False, True])
def test_without_a_user_table_orphans_are_an_error(has_another: bool, is_forced: bool) -> None:
    """A missing or incompatible ``user`` table must be an error, even with ``is_forced``."""
    if has_another:
        execute('CREATE TABLE "user" (id text PRIMARY KEY, email text, password_hash text)')
        execute("INSERT INTO \"user\" (id, email) VALUES ('bob', 'b@example.com')")
    TaskFactory.create()

    with pytest.raises(OrphansError, match="no Better Auth user table"):
        orphans(is_forced=is_forced)


@pytest.mark.django_db
def test_with_an_empty_user_table_orphans_are_an_error_unless_forced() -> None:
    """A newly created user table must not make every owner an orphan."""
    create_table()
    task = TaskFactory.create()

    with pytest.raises(OrphansError, match="user table is empty"):
        orphans()
    assert list(orphans(is_forced=True)) == [task]


@pytest.fixture
def _alice(db: None) -> None:
    """Create the user table with Alice as the only user."""
    create_table()
    add_user("alice", "ada@example.com")


@pytest.mark.usefixtures("_alice")
def test_more_than_half_of_the_owners_as_orphans_is_an_error_unless_forced() -> None:
    """A switch from another login system must not make every owner an orphan."""
    for user in ["alice"] * 5 + ["bob", "carol"]:
        TaskFactory.create(user_id=user)

    with pytest.raises(OrphansError, match="2 of 3 owners"):
        orphans()
    assert orphans(is_forced=True).count() == 2


@pytest.mark.usefixtures("_alice")
def test_half_of_the_owners_may_be_orphans() -> None:
    """The limit must count owners, not tasks, and accept half of them and an empty task table."""
    without_tasks = orphans().count()
    TaskFactory.create(user_id="alice")
    TaskFactory.create_batch(5, user_id="bob")

    assert (without_tasks, orphans().count()) == (0, 5)


@pytest.mark.usefixtures("_alice")
def test_an_owner_who_signs_up_before_the_deletion_keeps_their_tasks() -> None:
    """The deleting statement itself must check the user table."""
    TaskFactory.create(user_id="alice")
    TaskFactory.create(user_id="bob")
    found = orphans()
    before = found.count()

    add_user("bob", "bob@example.com")

    assert (before, found.delete()[0], Task.objects.count()) == (1, 0, 2)
