"""The owners of tasks as Better Auth knows them, where its table is in the same database."""

from collections.abc import Iterable

from tasks.better_auth_users import NOBODY, Owner, owners
from tasks.models import Task


def attach_owners(tasks: Iterable[Task]) -> None:
    """Look the owners of several tasks up, in one statement, for ``owner_of``."""
    found = owners({task.user_id for task in tasks})
    for task in tasks:
        vars(task)["owner"] = found.get(task.user_id, NOBODY)


def owner_of(task: Task) -> Owner:
    """Return whose task it is; an owner without e-mail address and name where nobody knows."""
    if "owner" not in vars(task):
        attach_owners([task])
    owner: Owner = vars(task)["owner"]
    return owner
