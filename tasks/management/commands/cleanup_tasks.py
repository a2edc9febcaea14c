"""``manage.py cleanup_tasks``: delete tasks and idempotency keys that are no longer needed."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from tasks.idempotency import KEY_LIFETIME
from tasks.maintenance.batches import BATCH_SIZE, delete_in_batches
from tasks.maintenance.retention import OrphansError, expired_idempotency_keys, orphans, time_ago
from tasks.management.console import TaskCommand, checked_user_id, progress_bar
from tasks.models import Task

MAX_BATCH_SIZE = 100_000
KEY_HOURS = KEY_LIFETIME.total_seconds() // 3600
# The rows to delete, keyed by a plural description
Selection = dict[str, "QuerySet[Any]"]


class Command(TaskCommand):
    """Deletes the selected rows while the API keeps running."""

    help = (
        "Permanently delete the rows that --completed, --orphans, --user and --idempotency-keys"
        " select; several options delete the union. Shows the counts and asks for confirmation."
        " The API keeps running; Ctrl-C stops after the current batch."
    )
    outcome = "Nothing was deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--completed",
            action="store_true",
            help="completed tasks whose last change (updated_at) is older than --older-than",
        )
        parser.add_argument(
            "--older-than",
            metavar="AGE",
            help="for --completed: an age in whole days, hours or minutes, e.g. 90d, 12h, 30m",
        )
        parser.add_argument(
            "--orphans",
            action="store_true",
            help='tasks whose owner is not in Better Auth\'s table "user" in the same database;'
            " refused if that table is missing, is empty, or lacks more than half of all owners",
        )
        parser.add_argument("--user", metavar="ID", help="all tasks of this user")
        parser.add_argument(
            "--idempotency-keys",
            action="store_true",
            help=f"idempotency keys older than {KEY_HOURS:.0f} hours",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="allow --orphans if the table is empty or lacks more than half of all owners",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="print the counts and delete nothing"
        )
        parser.add_argument(
            "--batch-size",
            type=int,
            default=BATCH_SIZE,
            metavar="ROWS",
            help=f"rows per transaction (default: {BATCH_SIZE})",
        )
        parser.add_argument(
            "--no-input",
            "--noinput",
            action="store_false",
            dest="interactive",
            help="do not ask for confirmation; required without a terminal",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, confirm, delete, and print the number of rows of each kind."""
        if not 1 <= options["batch_size"] <= MAX_BATCH_SIZE:
            raise CommandError(f"--batch-size must be 1 to {MAX_BATCH_SIZE}.")
        selection = _selection(options)
        must_confirm = options["interactive"] and not options["dry_run"]
        if must_confirm and not sys.stdin.isatty():
            raise CommandError("No terminal for the confirmation; use --no-input to skip it.")
        counts = _counts(selection)
        if options["dry_run"]:
            self.stdout.write(f"Would delete {_worded(counts)}.")
            return
        if must_confirm and any(counts.values()):
            self._confirm(counts)
        deleted = dict.fromkeys(selection, 0)
        with progress_bar(sum(counts.values()), "rows") as bar:
            for name, rows in selection.items():

                def on_batch(count: int, name: str = name) -> None:
                    deleted[name] += count
                    self.outcome = f"Deleted so far: {_worded(deleted)}."
                    bar.update(count)

                delete_in_batches(rows, batch_size=options["batch_size"], on_batch=on_batch)
        self.stdout.write(f"Deleted {_worded(deleted)}.")

    def _confirm(self, counts: dict[str, int]) -> None:
        """Ask for confirmation; raise ``CommandError`` unless the answer is yes."""
        self.stderr.write(f"To delete: {_worded(counts)}.", self.style.WARNING)
        self.stderr.write("Delete these rows permanently? [y/N] ", self.style.WARNING, ending="")
        self.stderr.flush()
        try:
            answer = input()
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError(self.outcome)


def _selection(options: dict[str, Any]) -> Selection:
    """Validate the options and return the rows to delete, by kind."""
    selection: Selection = {}
    if options["completed"] != (options["older_than"] is not None):
        raise CommandError("--completed and --older-than AGE go together.")
    if options["completed"]:
        age = options["older_than"]
        try:
            limit = time_ago(age)
        except ValueError:
            raise CommandError(
                f"--older-than {age!a}: use whole days, hours or minutes, e.g. 90d, 12h, 30m."
            ) from None
        selection[f"completed tasks unchanged for {age}"] = Task.objects.completed_before(limit)
    if options["orphans"]:
        try:
            selection["tasks of orphans"] = orphans(is_forced=options["force"])
        except OrphansError as error:
            raise CommandError(f"--orphans: {error}") from None
    if options["user"] is not None:
        user = checked_user_id(options["user"])
        selection[f"tasks of the user {user!a}"] = Task.objects.owned_by(user)
    if options["idempotency_keys"]:
        selection["expired idempotency keys"] = expired_idempotency_keys()
    if not selection:
        raise CommandError(
            "Nothing to delete: use --completed --older-than 90d, --orphans, --user ID,"
            " --idempotency-keys, or several of them."
        )
    return selection


def _counts(selection: Selection) -> dict[str, int]:
    """Count the rows of each kind; a task of several kinds counts only for the first."""
    counts = {}
    tasks, before = Task.objects.none(), 0
    for name, rows in selection.items():
        if rows.model is Task:
            tasks = tasks | rows
            counts[name] = tasks.count() - before
            before += counts[name]
        else:
            counts[name] = rows.count()
    return counts


def _worded(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
