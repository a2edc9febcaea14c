"""What is deleted because nobody needs it any more."""

import re
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from tasks import better_auth_users
from tasks.idempotency import KEY_LIFETIME
from tasks.models import IdempotencyKey, Task, TaskQuerySet

DURATION = re.compile(r"([1-9][0-9]*)([dhm])")
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class OrphansError(Exception):
    """Who is an orphan cannot be told, or hardly anybody would not be one."""


def moment_before(duration: str) -> datetime:
    """Return the moment that lies so far back.

    Args:
        duration: whole days, hours or minutes: ``90d``, ``12h``, ``30m``.

    Raises:
        ValueError: it has another form, or goes back before the year 1.
    """
    found = DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"not a duration: {duration!a}")
    try:
        return timezone.now() - timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise ValueError(f"too long ago: {duration!a}") from None


def expired_idempotency_keys() -> QuerySet[IdempotencyKey]:
    """Return the keys that no retry needs any more.

    Source: docs/contract.md, "What goes beyond the plan", safe retries ("at least 24 hours").
    """
    return IdempotencyKey.objects.created_before(timezone.now() - KEY_LIFETIME)


def orphans(*, is_forced: bool = False) -> TaskQuerySet:
    """Return the tasks whose owners are not in Better Auth's table of users.

    The condition is part of each statement that is made of it: whoever signs up in the meantime
    keeps their tasks.

    Args:
        is_forced: whether it may be most owners. After a move from another log-in all of them look
            like orphans.

    Raises:
        OrphansError: the table is not there; or, unless forced, nobody is in it, or more than half
            of the owners are not.

    Source: issue "Staff and operators", ``--orphans``.
    """
    if not better_auth_users.table_exists():
        raise OrphansError("This database has no table of Better Auth's users to compare with.")
    found = Task.objects.filter(better_auth_users.owner_is_missing())
    if is_forced:
        return found
    if better_auth_users.is_empty():
        raise OrphansError("Better Auth's table of users is empty: every owner would be an orphan.")
    owners, orphaned = (
        tasks.values("user_id").distinct().count() for tasks in (Task.objects.all(), found)
    )
    if orphaned * 2 > owners:
        raise OrphansError(
            f"{orphaned} of {owners} owners are not in Better Auth's table of users; after a move"
            " from another log-in they only look like orphans."
        )
    return found
