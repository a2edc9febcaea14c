"""Environment variables, with ``.env`` as a fallback."""

import logging
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from todo_project.configuration.env_file import TRUE, EnvFile, read_env_file

BASE_DIR = Path(__file__).resolve().parents[2]

FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
# Better Auth reads these too. Any difference, such as a blank, makes it sign with another secret.
SHARED_SECRETS = ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS")
QUOTES = "'\"`\u2018\u2019\u201c\u201d"  # the last four are typographic
# Control characters, line separators, a zero-width space, a byte-order mark and bytes that are not
# UTF-8
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b\ufeff\ud800-\udfff]")
REFERENCE = re.compile(r"\$\{\w+\}")
MAX_DIGITS = 9
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Environment(Env):
    """Reads a variable, or the file that ``<NAME>_FILE`` names (Docker secrets).

    An empty variable counts as not set: compose files and ``.env.example`` leave variables empty.

    Every method raises ``ImproperlyConfigured`` for a value that cannot be right. The message names
    the variable, says what is accepted, and never shows the value.

    Args:
        path: the ``.env``; it is read when a variable is looked up, so that a file that cannot be
            read is reported like a value.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    @cached_property
    def file(self) -> EnvFile:
        """The contents of ``.env``."""
        return read_env_file(self._path)

    def flag(self, name: str, default: bool) -> bool:
        """Read a bool."""
        value = self.str(name, "").lower()
        if value and value not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{self._source(name)} must be true or false.")
        return value in TRUE if value else default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Read a whole number, in digits only: ``int()`` accepts 1_000 and digits of any script."""
        value = self.str(name, "") or str(default)
        is_number = value.isascii() and value.isdecimal() and len(value) <= MAX_DIGITS
        if not (is_number and least <= int(value) <= most):
            raise ImproperlyConfigured(
                f"{self._source(name)} must be a whole number from {least} to {most}."
            )
        return int(value)

    def level(self, name: str, default: str) -> int:
        """Read a level of the log, in upper or lower case."""
        value = self.str(name, default).upper()
        if value not in LEVELS:
            raise ImproperlyConfigured(
                f"{self._source(name)} must be {', '.join(LEVELS[:-1])} or {LEVELS[-1]}."
            )
        return logging.getLevelNamesMapping()[value]

    def _get_value(self, env_key: str, default: Any) -> Any:
        value, file_key = self._given(env_key), f"{env_key}_FILE"
        if path := _checked(file_key, file_key, self._given(file_key)):
            value = _contents(file_key, path)
        return _checked(env_key, self._source(env_key), value) or default

    def _source(self, name: str) -> str:
        """Return the variable for a message, with the one that names its file."""
        file_key = f"{name}_FILE"
        return f"{name}, read from {file_key}," if self._given(file_key).strip() else name

    def _given(self, name: str) -> str:
        value = os.environ.get(name)
        return self.file.values.get(name, "") if value is None else value

    def variables(self) -> dict[str, str]:
        """Return all variables, those of other programs too."""
        return {**self.file.values, **os.environ}


def _contents(name: str, path: str) -> str:
    try:
        value = Path(path).read_text("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name} must name a text file in UTF-8.") from None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ImproperlyConfigured(f"{name} must name a readable file ({reason}).") from None
    if not value:
        raise ImproperlyConfigured(f"{name} must not name an empty file.")
    return value


def _checked(name: str, source: str, value: str) -> str:
    """Return a value without surrounding blanks, unless it can be right for no variable."""
    text, is_shared = value.strip(), name in SHARED_SECRETS
    # A single quotation mark or ${…} may be part of a secret.
    is_free_text = "SECRET" in name
    quotes = [char in QUOTES for char in text]
    is_quoted = bool(text) and quotes[0] and quotes[-1]
    is_half_quoted = sum(quotes) == 1 and (quotes[0] or quotes[-1])
    if is_quoted or (is_half_quoted and not is_free_text):
        problem = "begin or end with a quotation mark; docker --env-file makes it part of the value"
    elif name == "BETTER_AUTH_SECRET" and text != value:
        problem = "begin or end with a blank or a line break"
    elif INVISIBLE.search(text):
        problem = "contain a line break, a control character, or bytes that are not UTF-8"
    elif REFERENCE.search(text) and not is_free_text:
        problem = "contain ${NAME}: references to other variables are not expanded"
    else:
        return text
    hint = " Better Auth may read the secret without it, and sign with that." if is_shared else ""
    raise ImproperlyConfigured(f"{source} must not {problem}.{hint}")


env = Environment(BASE_DIR / ".env")
