"""``manage.py cleanup_tasks``: delete what nobody needs any more."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.models import QuerySet

from tasks.idempotency import KEY_LIFETIME
from tasks.maintenance.batches import BATCH_SIZE, delete_in_batches
from tasks.maintenance.retention import (
    OrphansError,
    expired_idempotency_keys,
    moment_before,
    orphans,
)
from tasks.management.console import (
    INTERRUPTED,
    TaskCommand,
    checked_user_id,
    held_interrupt,
    progress_bar,
    worded_database_error,
)
from tasks.models import Task

MAX_BATCH_SIZE = 100_000
KEY_HOURS = KEY_LIFETIME.total_seconds() // 3600
# what it is, in the plural: the rows
Chosen = dict[str, "QuerySet[Any]"]


class Command(TaskCommand):
    """Deletes by rules, while the API goes on.

    Source: issue "Staff and operators", ``cleanup_tasks``.
    """

    help = (
        "Delete, for good, whatever any of the options --completed, --orphans, --user and"
        " --idempotency-keys names; several of them delete more, not less. Shows how many it would"
        " be and asks first. The API can be used meanwhile; Ctrl-C stops after the batch under way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--completed",
            action="store_true",
            help="completed tasks that were last changed (updated_at) longer ago than --older-than",
        )
        parser.add_argument(
            "--older-than",
            metavar="AGE",
            help="how long ago, for --completed: whole days, hours or minutes, as in 90d, 12h, 30m",
        )
        parser.add_argument(
            "--orphans",
            action="store_true",
            help='tasks of owners who are not in Better Auth\'s table "user" in the same database;'
            " refused where that is absent or empty, or lacks more than half of all owners",
        )
        parser.add_argument(
            "--user", metavar="ID", help="all tasks of this user, whose account is deleted"
        )
        parser.add_argument(
            "--idempotency-keys",
            action="store_true",
            help=f"the keys of safe retries that are older than {KEY_HOURS:.0f} hours",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="--orphans even where the table is empty or lacks more than half of all owners",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many of each, and delete nothing"
        )
        parser.add_argument(
            "--batch-size",
            type=int,
            default=BATCH_SIZE,
            metavar="ROWS",
            help=f"how many rows one transaction deletes (default: {BATCH_SIZE})",
        )
        parser.add_argument(
            "--no-input",
            "--noinput",
            action="store_false",
            dest="interactive",
            help="do not ask; without a terminal to ask on, this is required",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, ask, delete, and say how many of each."""
        if not 1 <= options["batch_size"] <= MAX_BATCH_SIZE:
            raise CommandError(f"--batch-size must be 1 to {MAX_BATCH_SIZE}.")
        deleted: dict[str, int] = {}
        try:
            chosen = _chosen(options)
            must_ask = options["interactive"] and not options["dry_run"]
            if must_ask and not sys.stdin.isatty():
                raise CommandError("There is no terminal to ask on: --no-input does not ask.")
            counts = _counts(chosen)
            if options["dry_run"]:
                self.stdout.write(f"Would delete {_worded(counts)}.")
                return
            if must_ask and any(counts.values()):
                self._ask(counts)
            deleted = dict.fromkeys(chosen, 0)
            with held_interrupt() as stop, progress_bar(sum(counts.values()), "rows") as bar:
                for name, rows in chosen.items():

                    def on_batch(count: int, name: str = name) -> None:
                        deleted[name] += count
                        bar.update(count)
                        stop()

                    delete_in_batches(rows, batch_size=options["batch_size"], on_batch=on_batch)
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted. Deleted until then: {_worded(deleted) or 'nothing'}.",
                returncode=INTERRUPTED,
            ) from None
        except DatabaseError as error:
            reason = worded_database_error(error)
            raise CommandError(
                f"{reason} Deleted until then: {_worded(deleted) or 'nothing'}."
            ) from error
        self.stdout.write(f"Deleted {_worded(deleted)}.")

    def _ask(self, counts: dict[str, int]) -> None:
        """Go on only with a yes."""
        self.stderr.write(f"To delete: {_worded(counts)}.", self.style.WARNING)
        self.stderr.write("Delete all of it for good? [y/N] ", self.style.WARNING, ending="")
        self.stderr.flush()
        try:
            answer = input()
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was deleted.")


def _chosen(options: dict[str, Any]) -> Chosen:
    """Collect what is to be deleted, each kind under its name."""
    chosen: Chosen = {}
    if options["completed"] != (options["older_than"] is not None):
        raise CommandError("--completed and --older-than AGE go together.")
    if options["completed"]:
        age = options["older_than"]
        try:
            moment = moment_before(age)
        except ValueError:
            raise CommandError(
                f"--older-than {age!a}: whole days, hours or minutes, as in 90d, 12h, 30m."
            ) from None
        chosen[f"completed tasks unchanged for {age}"] = Task.objects.completed_before(moment)
    if options["orphans"]:
        try:
            chosen["tasks of orphans"] = orphans(is_forced=options["force"])
        except OrphansError as error:
            raise CommandError(f"--orphans: {error}") from None
    if options["user"] is not None:
        user = checked_user_id(options["user"])
        chosen[f"tasks of the user {user!a}"] = Task.objects.owned_by(user)
    if options["idempotency_keys"]:
        chosen["expired idempotency keys"] = expired_idempotency_keys()
    if not chosen:
        raise CommandError(
            "Say what to delete: --completed --older-than 90d, --orphans, --user ID,"
            " --idempotency-keys, or several of them."
        )
    return chosen


def _counts(chosen: Chosen) -> dict[str, int]:
    """Count each kind; a task that is of two kinds counts with the first, which deletes it."""
    counts = {}
    tasks, before = Task.objects.none(), 0
    for name, rows in chosen.items():
        if rows.model is Task:
            tasks = tasks | rows
            counts[name] = tasks.count() - before
            before += counts[name]
        else:
            counts[name] = rows.count()
    return counts


def _worded(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
