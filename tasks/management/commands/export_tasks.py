"""``manage.py export_tasks``: write a user's tasks as JSON Lines."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tasks.maintenance.transfer import exported_lines
from tasks.management.console import TaskCommand, checked_user_id, progress_bar
from tasks.models import Task

STANDARD_OUTPUT = "-"


class Command(TaskCommand):
    """Writes a user's tasks as JSON Lines."""

    help = (
        "Write all tasks of a user as JSON Lines: one task per line, as the API returns it. The"
        " file is created or replaced atomically, once it is complete."
    )
    outcome = "The export is incomplete."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--user", required=True, metavar="ID", help="the user's id")
        parser.add_argument(
            "file",
            nargs="?",
            default=STANDARD_OUTPUT,
            help="the file to write (default: -, standard output, with the summary on standard"
            " error)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the tasks and print how many."""
        user = checked_user_id(options["user"])
        to_stdout = options["file"] == STANDARD_OUTPUT
        written = 0
        try:
            total = Task.objects.owned_by(user).count()
            # The bar would overwrite lines that appear on the same terminal.
            is_shown = not (to_stdout and self.stdout.isatty())
            with (
                self._output(options["file"]) as write,
                progress_bar(total, "tasks", is_shown=is_shown) as bar,
            ):
                for line in exported_lines(user):
                    write(f"{line}\n")
                    written += 1
                    bar.update()
        except OSError as error:
            if to_stdout:  # otherwise Python flushes again at exit and prints a traceback
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
            raise CommandError(
                f"Cannot write to {options['file']}: {error.strerror}. {self.outcome}"
            ) from None
        self.outcome = f"Exported {written} tasks of the user {user!a}."
        if to_stdout:
            self.stderr.write(self.outcome, self.style.SUCCESS)
        else:
            self.stdout.write(self.outcome)

    @contextmanager
    def _output(self, name: str) -> Iterator[Callable[[str], object]]:
        """Yield a function that writes to the output; a file is replaced once complete."""
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
