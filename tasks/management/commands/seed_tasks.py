"""``manage.py seed_tasks``: create sample tasks."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from tasks.maintenance.seeding import seed_tasks
from tasks.management.console import TaskCommand, checked_user_id, progress_bar

USERS = 10
MAX_USERS = 100_000
MAX_TASKS = 10_000_000
MAX_DAYS = 36_500


class Command(TaskCommand):
    """Creates sample tasks."""

    help = (
        "Create sample tasks for the users user1, user2 … or for the users given with --user."
        " Existing tasks are kept. After Ctrl-C or an error, no tasks are created. Refused if DEBUG"
        " is false, unless forced."
    )
    outcome = "No tasks were created."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--users",
            type=int,
            metavar="N",
            help=f"number of generated users: user1 to userN (default: {USERS}, or 0 with --user)",
        )
        parser.add_argument(
            "--tasks",
            type=int,
            default=100,
            metavar="N",
            help="tasks per user (default: 100)",
        )
        parser.add_argument(
            "--user",
            action="append",
            default=[],
            metavar="ID",
            help="another user to create tasks for; may be repeated",
        )
        parser.add_argument(
            "--completed",
            type=float,
            default=0.3,
            metavar="SHARE",
            help="share of completed tasks, 0 to 1 (default: 0.3)",
        )
        parser.add_argument(
            "--days",
            type=int,
            default=90,
            metavar="DAYS",
            help="spread the creation times over this many days before now (default: 90)",
        )
        parser.add_argument(
            "--seed",
            type=int,
            metavar="NUMBER",
            help="generate the same tasks for the same number, with times relative to now"
            " (default: random)",
        )
        parser.add_argument("--force", action="store_true", help="run even if DEBUG is false")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the tasks and print how many."""
        if not (settings.DEBUG or options["force"]):
            raise CommandError("DEBUG is false: use --force to create sample tasks anyway.")
        users = _users(options["users"], options["user"])
        _check(options)

        def report(count: int) -> None:
            self.outcome = f"Created {count} tasks ({options['tasks']} each, users: {len(users)})."

        with progress_bar(len(users) * options["tasks"], "tasks") as bar:
            seed_tasks(
                users,
                options["tasks"],
                completed_share=options["completed"],
                days=options["days"],
                seed=options["seed"],
                on_batch=bar.update,
                on_commit=report,
            )
        self.stdout.write(self.outcome)


def _users(count: int | None, named: list[str]) -> list[str]:
    """Return the distinct ids of the users to create tasks for."""
    if count is None:
        count = 0 if named else USERS
    if not 0 <= count <= MAX_USERS:
        raise CommandError(f"--users must be 0 to {MAX_USERS}.")
    generated = [f"user{number}" for number in range(1, count + 1)]
    users = list(dict.fromkeys([checked_user_id(each) for each in named] + generated))
    if not users:
        raise CommandError("No users: --users is 0 and --user is not given.")
    return users


def _check(options: dict[str, Any]) -> None:
    if not 1 <= options["tasks"] <= MAX_TASKS:
        raise CommandError(f"--tasks must be 1 to {MAX_TASKS}.")
    if not 0 <= options["completed"] <= 1:
        raise CommandError("--completed must be 0 to 1; 0.3 is 30 %.")
    if not 1 <= options["days"] <= MAX_DAYS:
        raise CommandError(f"--days must be 1 to {MAX_DAYS}.")
