"""What the commands have in common in front of a person: the bar, Ctrl-C, errors, users' ids."""

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from authn.tokens import NoUserError, user_id

INTERRUPTED = 130  # the exit code that shells give a command that Ctrl-C has ended


class TaskCommand(BaseCommand):
    """A command that works on the database, which may be away or not migrated."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it.

        Raises:
            CommandError: the input is bad, or the database cannot do it.
        """
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            raise CommandError(worded_database_error(error)) from error


def worded_database_error(error: DatabaseError) -> str:
    """Say what the database cannot do: its first line, for the others are hints and the SQL."""
    reason = str(error).partition("\n")[0]
    return f"Database error: {reason}. Where a table is missing, run manage.py migrate."


def progress_bar(total: int | None, unit: str, *, is_shown: bool = True) -> "tqdm[Any]":
    """Show on standard error how far a command is, if that is a terminal.

    Args:
        total: how many units there are; ``None`` where nobody knows.
        unit: what is counted, in the plural; ``"B"`` counts bytes.
        is_shown: whether a terminal gets it at all.
    """
    columns, lines = shutil.get_terminal_size()  # tqdm's own look shows no bar where it is unknown
    return tqdm(
        total=total,
        unit=unit if unit == "B" else f" {unit}",
        unit_scale=unit == "B",
        file=sys.stderr,
        disable=None if is_shown else True,  # None: unless it is a terminal
        leave=False,
        ncols=columns - 1,
        nrows=lines,
    )


@contextmanager
def held_interrupt() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back where it would leave nobody knowing what was written.

    Yields:
        What raises the ``KeyboardInterrupt`` that was held back, if there was one: to be called
        between two batches. A second Ctrl-C is not held back.
    """
    is_pending = Event()

    def hold(*args: Any) -> None:
        is_pending.set()
        signal.signal(signal.SIGINT, before)

    def release() -> None:
        if is_pending.is_set():
            raise KeyboardInterrupt

    if current_thread() is not main_thread():  # only that one may, or has to, handle signals
        yield release
        return
    before = signal.signal(signal.SIGINT, hold)
    try:
        yield release
    finally:
        signal.signal(signal.SIGINT, before)


def checked_user_id(given: str) -> str:
    """Return a user's id as it was given.

    Raises:
        CommandError: nobody can have this id.

    Source: docs/contract.md, "Who may come in".
    """
    try:
        return user_id({"sub": given})
    except NoUserError:
        raise CommandError("A user's id has 1 to 255 characters.") from None
