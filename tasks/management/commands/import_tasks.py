"""``manage.py import_tasks``: import tasks from JSON Lines."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from tasks.maintenance.transfer import MAX_LINE_BYTES, LineError, import_lines
from tasks.management.console import TaskCommand, progress_bar

STANDARD_INPUT = "-"


class Command(TaskCommand):
    """Imports the tasks of a JSON Lines file."""

    help = (
        "Import tasks written by export_tasks, each for the user in its line and with a new id."
        " Existing tasks are kept: importing a file twice creates its tasks twice. After an invalid"
        " line or Ctrl-C, no tasks are imported."
    )
    outcome = "No tasks were imported."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "file",
            nargs="?",
            default=STANDARD_INPUT,
            help="JSON Lines in UTF-8 (default: -, standard input)",
        )
        parser.add_argument(
            "--as-is",
            action="store_true",
            help="accept tasks that an adopted table can hold but the API rejects: a blank title,"
            " an updated_at before created_at",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the tasks and print how many."""
        name = options["file"]
        is_stdin = name == STANDARD_INPUT
        try:
            size = None if is_stdin else Path(name).stat().st_size or None
            with (
                nullcontext(sys.stdin.buffer) if is_stdin else Path(name).open("rb") as file,
                progress_bar(size, "B") as bar,
            ):
                import_lines(_lines(file, bar), as_is=options["as_is"], on_commit=self._report)
        except LineError as error:
            raise CommandError(f"{error} {self.outcome}") from None
        except OSError as error:
            raise CommandError(f"Cannot read {name}: {error.strerror}.") from None
        self.stdout.write(self.outcome)

    def _report(self, count: int) -> None:
        self.outcome = f"Imported {count} tasks."


def _lines(file: BinaryIO, bar: "tqdm[Any]") -> Iterator[bytes]:
    """Yield the lines of a file, split after ``MAX_LINE_BYTES + 1`` bytes if they are longer."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        bar.update(len(line))
