"""Selects rows that are no longer needed: old tasks, orphans and expired idempotency keys."""

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
    """Orphans cannot be identified, or suspiciously many owners would be orphans."""


def time_ago(duration: str) -> datetime:
    """Return now minus ``duration``.

    Args:
        duration: whole days, hours or minutes: ``90d``, ``12h``, ``30m``.

    Raises:
        ValueError: the duration is malformed, or reaches back before the year 1.
    """
    found = DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"not a duration: {duration!a}")
    try:
        return timezone.now() - timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise ValueError(f"too long ago: {duration!a}") from None


def expired_idempotency_keys() -> QuerySet[IdempotencyKey]:
    """Return the keys that are older than their lifetime.

    Source: docs/contract.md, "Extensions".
    """
    return IdempotencyKey.objects.created_before(timezone.now() - KEY_LIFETIME)


def orphans(*, is_forced: bool = False) -> TaskQuerySet:
    """Return the tasks whose owners are not in Better Auth's user table.

    The condition is evaluated whenever the queryset is, so the tasks of an owner who signs up
    before the deletion are kept.

    Args:
        is_forced: allow any number of orphans. After a switch to Better Auth from another login
            system, all owners look like orphans.

    Raises:
        OrphansError: the table is missing; or, unless forced, it is empty or lacks more than half
            of the owners.
    """
    if not better_auth_users.table_exists():
        raise OrphansError("This database has no Better Auth user table to compare with.")
    found = Task.objects.filter(better_auth_users.owner_is_missing())
    if is_forced:
        return found
    if better_auth_users.is_empty():
        raise OrphansError("The Better Auth user table is empty: every owner would be an orphan.")
    owners, orphaned = (
        tasks.values("user_id").distinct().count() for tasks in (Task.objects.all(), found)
    )
    if orphaned * 2 > owners:
        raise OrphansError(
            f"{orphaned} of {owners} owners are not in the Better Auth user table. After a switch"
            " from another login system, owners look like orphans but are not."
        )
    return found
