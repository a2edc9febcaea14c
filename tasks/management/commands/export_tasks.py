"""``manage.py export_tasks``: a user's tasks as JSON Lines."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tasks.maintenance.transfer import exported_lines
from tasks.management.console import INTERRUPTED, TaskCommand, checked_user_id, progress_bar
from tasks.models import Task

STANDARD_OUTPUT = "-"


class Command(TaskCommand):
    """Writes a user's tasks down.

    Source: issue "Staff and operators", ``export_tasks``.
    """

    help = (
        "Write all tasks of a user as JSON Lines: one task a line, as the API shows it. A file"
        " appears, or replaces an older one, when it is complete."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--user", required=True, metavar="ID", help="the user's id")
        parser.add_argument(
            "file",
            nargs="?",
            default=STANDARD_OUTPUT,
            help="where to (default: -, standard output; the summary is on standard error then)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them, and say how many."""
        user = checked_user_id(options["user"])
        to_stdout = options["file"] == STANDARD_OUTPUT
        written = 0
        try:
            total = Task.objects.owned_by(user).count()
            # The bar would run through lines that a person looks at.
            is_shown = not (to_stdout and self.stdout.isatty())
            with (
                self._output(options["file"]) as write,
                progress_bar(total, "tasks", is_shown=is_shown) as bar,
            ):
                for line in exported_lines(user):
                    write(f"{line}\n")
                    written += 1
                    bar.update()
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted; not all was written.", returncode=INTERRUPTED
            ) from None
        except OSError as error:
            if to_stdout:  # Python would try once more at its end, and complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
            raise CommandError(
                f"Not all was written to {options['file']}: {error.strerror}."
            ) from None
        summary = f"Exported {written} tasks of the user {user!a}."
        if to_stdout:
            self.stderr.write(summary, self.style.SUCCESS)
        else:
            self.stdout.write(summary)

    @contextmanager
    def _output(self, name: str) -> Iterator[Callable[[str], object]]:
        """Open what is written to; a file has its name only when all is in it."""
        if name == STANDARD_OUTPUT:
            yield self.stdout.write
            self.stdout.flush()
        elif Path(name).exists() and not Path(name).is_file():  # a pipe or a device
            with Path(name).open("w") as file:
                yield file.write
        else:
            target = Path(name).resolve()
            descriptor, unfinished = tempfile.mkstemp(prefix=".export-", dir=target.parent)
            try:
                with os.fdopen(descriptor, "w") as file:
                    yield file.write
                Path(unfinished).replace(target)
            finally:
                Path(unfinished).unlink(missing_ok=True)
