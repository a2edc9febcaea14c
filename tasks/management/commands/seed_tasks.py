"""``manage.py seed_tasks``: believable tasks to try things out on."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from tasks.maintenance.seeding import seed_tasks
from tasks.management.console import (
    INTERRUPTED,
    TaskCommand,
    checked_user_id,
    held_interrupt,
    progress_bar,
)

USERS = 10
MAX_USERS = 100_000
MAX_TASKS = 10_000_000
MAX_DAYS = 36_500


class Command(TaskCommand):
    """Fills the table.

    Source: issue "Staff and operators", ``seed_tasks``.
    """

    help = (
        "Store believable tasks: for the users user1, user2 … or for those that --user names. They"
        " are added to what is there. All of them are stored or, after Ctrl-C or an error, none."
        " Refused when DEBUG is false, unless forced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--users",
            type=int,
            metavar="N",
            help=f"how many made-up users get tasks: user1 to userN (default: {USERS}, or none"
            " where --user is given)",
        )
        parser.add_argument(
            "--tasks",
            type=int,
            default=100,
            metavar="N",
            help="how many tasks each user gets (default: 100)",
        )
        parser.add_argument(
            "--user",
            action="append",
            default=[],
            metavar="ID",
            help="the id of a user who gets tasks too; may be repeated",
        )
        parser.add_argument(
            "--completed",
            type=float,
            default=0.3,
            metavar="SHARE",
            help="the share of the tasks that is completed, 0 to 1 (default: 0.3)",
        )
        parser.add_argument(
            "--days",
            type=int,
            default=90,
            metavar="DAYS",
            help="over how many days until now their creation is spread (default: 90)",
        )
        parser.add_argument(
            "--seed",
            type=int,
            metavar="NUMBER",
            help="the same number makes the same tasks again, at the same distance from now"
            " (default: others each time)",
        )
        parser.add_argument("--force", action="store_true", help="also when DEBUG is false")

    def handle(self, *args: Any, **options: Any) -> None:
        """Store them, and say how many."""
        if not (settings.DEBUG or options["force"]):
            raise CommandError("DEBUG is false: --force stores sample tasks all the same.")
        users = _users(options["users"], options["user"])
        _check(options)
        try:
            total = len(users) * options["tasks"]
            with held_interrupt() as stop, progress_bar(total, "tasks") as bar:

                def on_batch(count: int) -> None:
                    bar.update(count)
                    stop()

                stored = seed_tasks(
                    users,
                    options["tasks"],
                    completed_share=options["completed"],
                    days=options["days"],
                    seed=options["seed"],
                    on_batch=on_batch,
                )
        except KeyboardInterrupt:
            raise CommandError("Interrupted; no task was stored.", returncode=INTERRUPTED) from None
        self.stdout.write(f"Stored {stored} tasks ({options['tasks']} each, users: {len(users)}).")


def _users(count: int | None, named: list[str]) -> list[str]:
    """List whom the tasks are for, each once."""
    if count is None:
        count = 0 if named else USERS
    if not 0 <= count <= MAX_USERS:
        raise CommandError(f"--users must be 0 to {MAX_USERS}.")
    made_up = [f"user{number}" for number in range(1, count + 1)]
    users = list(dict.fromkeys([checked_user_id(each) for each in named] + made_up))
    if not users:
        raise CommandError("Nobody gets tasks: --users is 0, and --user names nobody.")
    return users


def _check(options: dict[str, Any]) -> None:
    if not 1 <= options["tasks"] <= MAX_TASKS:
        raise CommandError(f"--tasks must be 1 to {MAX_TASKS}.")
    if not 0 <= options["completed"] <= 1:
        raise CommandError("--completed must be 0 to 1; 0.3 is 30 %.")
    if not 1 <= options["days"] <= MAX_DAYS:
        raise CommandError(f"--days must be 1 to {MAX_DAYS}, a century.")
