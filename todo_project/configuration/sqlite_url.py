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
# The first bytes of every file that is not empty (SQLite's "Database File Format")
HEADER = b"SQLite format 3\0"
# The kernel's folders, in which no file can be created, although root may write in them
KERNEL = (("/", "proc"), ("/", "sys"))


def sqlite_settings(rest: str, base_dir: Path) -> dict[str, Any]:
    """Parse the part of the URL after ``sqlite://``.

    Raises:
        MistakeError: the path is missing, or an option would be ignored.
    """
    path, _, query = rest.partition("?")
    name = unquote(path.removeprefix("/"), errors="strict")
    if not name or "\0" in name or not path.startswith("/"):
        raise MistakeError(SQLITE_FORM)
    if "\\" in name:
        raise MistakeError("its path has a backslash; separate folders with /")
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
        MistakeError: the file or its folder cannot be written, it is another file, or it would be
            lost.
    """
    if name == MEMORY:
        raise MistakeError("each connection would have its own empty database in memory")
    path = Path(name)
    if path.is_dir():
        raise MistakeError("its path is a folder; it must name a file, such as db.sqlite3 in it")
    if not path.parent.is_dir():
        raise MistakeError("the folder of its file does not exist")
    # The folder, too: SQLite creates its log beside the file.
    modes = ((path.parent, os.W_OK), (path, os.R_OK | os.W_OK))
    is_usable = all(os.access(each, mode) for each, mode in modes if each.exists())
    if not is_usable or path.resolve().parts[:2] in KERNEL:
        raise MistakeError("its file, or the folder of it, cannot be written by this user")
    if path.exists() and not _is_database(path):
        raise MistakeError("its path is that of a file which is no database of SQLite")


def _is_database(path: Path) -> bool:
    """Return whether a file is a database, or an empty file, which becomes one."""
    if not path.is_file():
        return False  # a device or a pipe, which must not be opened
    with path.open("rb") as file:
        return file.read(len(HEADER)) in (b"", HEADER)
