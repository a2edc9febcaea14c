"""Helpers of the management commands: error reports, Ctrl-C, progress bars and user ids."""

import shutil
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from tqdm import tqdm

from authn.tokens import INVALID_USER_ID, NoUserError, user_id

INTERRUPTED = 130  # the exit code that shells report after Ctrl-C


class TaskCommand(BaseCommand):
    """Reports Ctrl-C without a traceback, followed by ``outcome``.

    ``outcome`` is a sentence that states what has been done; subclasses keep it up to date. It is a
    note of a database error, which ``manage.py`` explains.
    """

    outcome: str

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command.

        Raises:
            CommandError: the input is invalid, or Ctrl-C was pressed.
            Error: the database fails.
        """
        try:
            return super().execute(*args, **options)
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {self.outcome}", returncode=INTERRUPTED) from None
        except Error as error:
            error.add_note(self.outcome)
            raise


def progress_bar(total: int | None, unit: str, *, is_shown: bool = True) -> "tqdm[Any]":
    """Return a progress bar on standard error, hidden unless standard error is a terminal.

    Args:
        total: the number of units; ``None`` if unknown.
        unit: a plural noun; ``"B"`` counts bytes.
        is_shown: ``False`` hides the bar on a terminal too.
    """
    columns, lines = shutil.get_terminal_size()  # without a known size, tqdm draws no bar
    return tqdm(
        total=total,
        unit=unit if unit == "B" else f" {unit}",
        unit_scale=unit == "B",
        file=sys.stderr,
        disable=None if is_shown else True,  # None: disabled unless it is a terminal
        leave=False,
        ncols=columns - 1,
        nrows=lines,
    )


def checked_user_id(given: str) -> str:
    """Return a user id unchanged if it is valid.

    Raises:
        CommandError: no token can carry this id.

    Source: docs/contract.md, "Authentication".
    """
    try:
        return user_id({"sub": given})
    except NoUserError:
        raise CommandError(INVALID_USER_ID) from None
