"""Turns the URL of an SQLite file into an entry of Django's ``DATABASES``."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from todo_project.configuration.url_mistakes import SQLITE_FORM, MistakeError

# Seconds that a writer waits for the lock; SQLite has one writer at a time
BUSY_TIMEOUT_SECONDS = 20
SCHEME = "sqlite"
MEMORY = ":memory:"
# The only option that changes nothing: the file is created if it does not exist
DEFAULT_MODE = "mode=rwc"


def sqlite_settings(rest: str, base_dir: Path) -> dict[str, Any]:
    """Parse the part of the URL after ``sqlite://``.

    Raises:
        MistakeError: the path is missing, or an option would be ignored.
    """
    path, _, query = rest.partition("?")
    name = unquote(path.removeprefix("/"), errors="strict")
    if not name or "\0" in name or not path.startswith("/"):
        raise MistakeError(SQLITE_FORM)
    if query not in ("", DEFAULT_MODE):
        raise MistakeError("a URL of SQLite has no options; remove ? and what follows it")
    return {
        "ENGINE": "todo_project.sqlite",
        "NAME": name if name == MEMORY else base_dir / name,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_SECONDS,
            # A transaction that takes the write lock only at its first write may fail at once
            # with "database is locked", regardless of the timeout.
            "transaction_mode": "IMMEDIATE",
            # A committed transaction survives a power failure.
            "init_command": "PRAGMA synchronous=FULL",
        },
    }


def refuse_unusable_file(name: Path | str) -> None:
    """Refuse a path at which SQLite cannot write a file.

    Args:
        name: ``NAME`` of the entry.

    Raises:
        MistakeError: the file or its folder cannot be written, or it would be lost.
    """
    if name == MEMORY:
        raise MistakeError("each connection would have its own empty database in memory")
    path = Path(name)
    if path.is_dir():
        raise MistakeError("its path is a folder; it must name a file, such as db.sqlite3 in it")
    if not path.parent.is_dir():
        raise MistakeError("the folder of its file does not exist")
    # The folder, too: SQLite creates its log beside the file.
    if not all(os.access(each, os.W_OK) for each in (path.parent, path) if each.exists()):
        raise MistakeError("its file, or the folder of it, cannot be written by this user")
