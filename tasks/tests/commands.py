"""An operator: somebody who runs commands, at a terminal or not."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command


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


def refusal(name: str, *arguments: str, **options: Any) -> CommandError:
    """Run a command that is to be refused, and return its error."""
    with pytest.raises(CommandError) as refused:
        manage(name, *arguments, **options)
    return refused.value
