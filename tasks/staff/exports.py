"""CSV export, safe to open in a spreadsheet.

Source: OWASP, "CSV Injection".
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tasks.better_auth_users import UNKNOWN_OWNER, Owner, owners, table_exists
from tasks.models import TaskQuerySet, TaskRow

BATCH_SIZE = 2000  # tasks per query
OWNER_COLUMNS = ("owner_email", "owner_name")
# The characters that a formula can begin with, including their full-width forms
FORMULA_SIGNS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


class _Echo:
    """A file-like object whose ``write`` returns its argument."""

    def write(self, text: str) -> str:
        return text


def csv_lines(tasks: TaskQuerySet) -> Iterator[str]:
    """Yield tasks as CSV, newest first, one batch of lines at a time.

    Each batch is read by one query that continues after the previous batch's last id, so neither
    memory nor the length of a transaction grows with the table.
    """
    with_owners = table_exists()
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(TaskRow._fields + OWNER_COLUMNS * with_owners)
    rest = tasks.order_by("-pk")
    while batch := list(rest[:BATCH_SIZE].rows()):
        found = owners({task.user_id for task in batch}) if with_owners else {}
        yield "".join(
            writer.writerow(map(_cell, (*task, *_owner(found, task)) if with_owners else task))
            for task in batch
        )
        rest = tasks.filter(pk__lt=batch[-1].id).order_by("-pk")


def defused(text: str) -> str:
    """Prevent a spreadsheet from evaluating a text as a formula.

    A text that a spreadsheet might evaluate, or that begins with an apostrophe, is prefixed with an
    apostrophe. Removing one leading apostrophe from each cell restores the texts.
    """
    begins = text.lstrip().startswith(FORMULA_SIGNS) or text.startswith(("\t", "\r", "\n", "'"))
    return f"'{text}" if begins else text


def _owner(found: dict[str, Owner], task: TaskRow) -> tuple[str, str]:
    owner = found.get(task.user_id, UNKNOWN_OWNER)
    return owner.email, owner.name


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='microseconds')}Z"
    if isinstance(value, bool):
        return "true" if value else "false"
    return defused(value) if isinstance(value, str) else "" if value is None else str(value)
