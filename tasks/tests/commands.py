"""Run management commands and read their output."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command


class Terminal(io.StringIO):
    """A text stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return ``True``."""
        return True


def manage(name: str, *arguments: str, **options: Any) -> str:
    """Run a command and return its standard output."""
    stdout = io.StringIO()
    call_command(name, *arguments, stdout=stdout, **options)
    return stdout.getvalue()


def refusal(name: str, *arguments: str, **options: Any) -> CommandError:
    """Run a command, assert that it fails, and return its error."""
    with pytest.raises(CommandError) as refused:
        manage(name, *arguments, **options)
    return refused.value
