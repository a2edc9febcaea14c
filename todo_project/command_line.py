"""The command line of ``manage.py``."""

import sys
from collections.abc import Sequence

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError, OperationalError

from todo_project.configuration.refusals import one_line_refusals
from todo_project.logs.redaction import redacted
from todo_project.outages import sqlstate

INTERRUPTED = 130  # the exit code that shells report after Ctrl-C
UNDEFINED_TABLE = "42P01"  # PostgreSQL's SQLSTATE


def main(arguments: Sequence[str]) -> None:
    """Run a management command.

    A refused setting, or a database that cannot be used, ends it with one line on standard error
    and exit code 1. Any other exception is a bug, and keeps its traceback.

    Args:
        arguments: the command line, beginning with the name of the program. With ``--traceback``,
            nothing is caught.
    """
    if "--traceback" in arguments:
        execute_from_command_line(list(arguments))
        return
    try:
        with one_line_refusals():
            if arguments[1:] == ["shell"]:
                _ = settings.DEBUG  # it would start without the settings, and not say why
            execute_from_command_line(list(arguments))
    except KeyboardInterrupt:  # during startup or at a prompt: nothing to report
        sys.exit(INTERRUPTED)
    except (DatabaseError, InterfaceError) as error:
        is_unusable = isinstance(error, (OperationalError, InterfaceError))
        if not (is_unusable or sqlstate(error) == UNDEFINED_TABLE):
            raise
        hint = "" if arguments[1] == "migrate" else " If a table is missing, run manage.py migrate."
        sys.exit(f"Database error: {_reason(error)}.{hint}")


def _reason(error: Exception) -> str:
    """Return the message of a database error on one line, without secrets."""
    text = str(error)
    if sqlstate(error):
        text = text.partition("\n")[0]  # the other lines are hints and the SQL
    return redacted(" ".join(text.split())).rstrip(".")
