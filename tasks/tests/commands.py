"""An operator: somebody who runs commands, at a terminal or not."""

import io
from typing import Any

from django.core.management import call_command


class Terminal(io.StringIO):
    """What a command takes for a terminal."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def manage(name: str, *arguments: str, **options: Any) -> str:
    """Run a command, and return its standard output."""
    printed = io.StringIO()
    call_command(name, *arguments, stdout=printed, **options)
    return printed.getvalue()
