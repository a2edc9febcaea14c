"""Attaches owners from Better Auth's user table to tasks."""

from collections.abc import Iterable

from tasks.better_auth_users import UNKNOWN_OWNER, Owner, owners
from tasks.models import Task


def attach_owners(tasks: Iterable[Task]) -> None:
    """Read the owners of several tasks in one query and cache them for ``owner_of``."""
    found = owners({task.user_id for task in tasks})
    for task in tasks:
        vars(task)["owner"] = found.get(task.user_id, UNKNOWN_OWNER)


def owner_of(task: Task) -> Owner:
    """Return the owner of a task, or ``UNKNOWN_OWNER``."""
    if "owner" not in vars(task):
        attach_owners([task])
    owner: Owner = vars(task)["owner"]
    return owner
