"""``manage.py import_tasks``: tasks out of JSON Lines."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from tasks.maintenance.transfer import MAX_LINE_BYTES, LineError, import_lines
from tasks.management.console import INTERRUPTED, TaskCommand, held_interrupt, progress_bar

STANDARD_INPUT = "-"


class Command(TaskCommand):
    """Stores what was written down.

    Source: issue "Staff and operators", ``import_tasks``.
    """

    help = (
        "Store the tasks that export_tasks has written, each for the user whom its line names and"
        " with a new id. They are added: importing a file twice stores its tasks twice. All of them"
        " are stored or, where a line is wrong or Ctrl-C is pressed, none."
    )

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
            help="also take what the API refuses and a table of an older back end may hold: a title"
            " of white space, a change before the creation",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Store them, and say how many."""
        name = options["file"]
        with ExitStack() as stack:
            try:
                size = None
                file: BinaryIO = sys.stdin.buffer
                if name != STANDARD_INPUT:
                    file = stack.enter_context(Path(name).open("rb"))
                    size = Path(name).stat().st_size or None
                bar = stack.enter_context(progress_bar(size, "B"))
                stored = import_lines(_lines(file, bar, stack), is_as_is=options["as_is"])
            except LineError as error:
                raise CommandError(f"{error} No task was stored.") from None
            except OSError as error:
                raise CommandError(f"Cannot read {name}: {error.strerror}.") from None
            except KeyboardInterrupt:
                raise CommandError(
                    "Interrupted; no task was stored.", returncode=INTERRUPTED
                ) from None
        self.stdout.write(f"Imported {stored} tasks.")


def _lines(file: BinaryIO, bar: "tqdm[Any]", stack: ExitStack) -> Iterator[bytes]:
    """Read one line after the other, none of them further than it may go."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        bar.update(len(line))
    stack.enter_context(held_interrupt())  # what has been read to its end is stored to its end
