"""The command line of ``manage.py``."""

import os
import sys
from collections.abc import Sequence

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    ProgrammingError,
)

from todo_project.configuration.refusals import one_line_refusals
from todo_project.explanations import explain
from todo_project.outages import READ_ONLY, sqlstate
from todo_project.streams import standard_streams

INTERRUPTED = 130  # the exit code that shells report after Ctrl-C
# Errors of a statement are bugs, except for a database that is read-only, lets the user create no
# tables, or has none.
STATEMENT_ERRORS = (
    DataError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    ProgrammingError,
)
NOT_BUGS = (READ_ONLY, "42501", "42P01")  # SQLSTATEs


def main(arguments: Sequence[str]) -> None:
    """Run a management command.

    A refused setting, or a database that cannot be used, ends it with one line on standard error
    and exit code 1. Any other exception is a bug, and keeps its traceback.

    Args:
        arguments: the command line, beginning with the name of the program. With ``--traceback``,
            nothing is caught.
    """
    # The folder is for the workers of the server; prometheus_client would write files per command.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if "--traceback" in arguments:
        execute_from_command_line(list(arguments))
        return
    try:
        with standard_streams(), one_line_refusals():
            if arguments[1:] == ["shell"]:
                _ = settings.DEBUG  # it would start without the settings, and not say why
            execute_from_command_line(list(arguments))
    except KeyboardInterrupt:  # during startup or at a prompt: nothing to report
        sys.exit(INTERRUPTED)
    except (DatabaseError, InterfaceError) as error:
        if isinstance(error, STATEMENT_ERRORS) and sqlstate(error) not in NOT_BUGS:
            raise
        # The commands of tasks add what they have done as a note.
        sys.exit(" ".join([explain(error), *getattr(error, "__notes__", [])]))
