"""Reads ``.env``."""

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream

TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
# The service does not start without one variable of each group, DEBUG=true counting as a database.
REQUIRED = (
    ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS"),
    ("NEON_DATABASE_URL", "DATABASE_URL"),
)
# Programs that share the file may have names with dots and hyphens.
NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class EnvFile:
    """The contents of a ``.env``.

    Attributes:
        values: the variables, without outer quotes; ``$NAME`` is not expanded.
        warnings: sentences about what is ignored. None of them shows text from the file.
    """

    values: dict[str, str]
    warnings: list[str]


def read_env_file(path: Path) -> EnvFile:
    """Read a ``.env``, if there is one.

    Raises:
        ImproperlyConfigured: the file or a line cannot be read, and the environment lacks a
            variable without which the service does not start.
    """
    try:
        text = path.read_text("utf-8-sig")  # drops a byte-order mark
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            return EnvFile({}, [])
        reason = os.strerror(error.errno or 0)
        return _refused(f".env must be a text file that this process can read ({reason}).")
    if "\0" in text:  # as in UTF-16
        return _refused(
            ".env must be a text file in UTF-8. PowerShell may have written UTF-16: save it as"
            " UTF-8."
        )
    return _parsed(text)


def _parsed(text: str) -> EnvFile:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    warnings = []
    for binding in parse_stream(io.StringIO(text)):
        string, line = binding.original
        line += string[: len(string) - len(string.lstrip())].count("\n")  # blank lines before it
        if binding.error:
            refused = _refused(
                f".env, line {line}, must have the form NAME=value, with a quotation mark at both"
                " ends of the value or at neither."
            )
            warnings += refused.warnings
        elif binding.key and not NAME.fullmatch(binding.key):  # as PowerShell and JSON write it
            refused = _refused(
                f".env, line {line}, must have the form NAME=value, with a name of letters, digits"
                " and underscores, and nothing before it."
            )
            warnings += refused.warnings
        elif binding.key and binding.value is None:
            warnings.append(f".env, line {line}, has no effect: it has a name but no value.")
        elif binding.key:
            if binding.key in values:
                warnings.append(
                    f".env sets a variable of line {lines[binding.key]} again in line {line}, which"
                    " takes precedence."
                )
            values[binding.key], lines[binding.key] = binding.value or "", line
    return EnvFile(values, warnings)


def _refused(problem: str) -> EnvFile:
    """Return the problem as a warning if the service can start without the file."""
    is_development = os.environ.get("DEBUG", "").strip().lower() in TRUE
    groups = REQUIRED[:1] if is_development else REQUIRED
    names = [[f"{name}{suffix}" for name in group for suffix in ("", "_FILE")] for group in groups]
    if not all(any(os.environ.get(name) for name in group) for group in names):
        raise ImproperlyConfigured(problem)
    return EnvFile({}, [problem])
