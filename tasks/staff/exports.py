"""CSV export, safe to open in a spreadsheet.

Source: OWASP, "CSV Injection".
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tasks.better_auth_users import UNKNOWN_OWNER, Owner, owners, table_exists
from tasks.models import TaskQuerySet, TaskRow

BATCH_SIZE = 2000  # tasks per query
OWNER_COLUMNS = ("owner_email", "owner_name")
# The characters that a formula can begin with, including their full-width forms
FORMULA_SIGNS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
# Where a spreadsheet that does not split at commas may begin a cell, despite quotes:
# in many languages Excel splits at semicolons. All but the first two are line breaks.
DELIMITERS = re.compile("([;\t\n\v\f\r\x85\u2028\u2029])")
# Without it, Excel does not read the file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"


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
    yield BYTE_ORDER_MARK + writer.writerow(TaskRow._fields + OWNER_COLUMNS * with_owners)
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

    The parts between delimiters are treated like texts, as each may become a cell. A part that a
    spreadsheet might evaluate, or that begins with an apostrophe, is prefixed with an apostrophe.
    Removing one leading apostrophe from each part restores the text.
    """
    defuse = "'" if text.startswith(("\t", "\r", "\n")) else ""
    return defuse + "".join(map(_defused_part, DELIMITERS.split(text)))


def _defused_part(part: str) -> str:
    # Quotes and blanks before a sign may be dropped.
    is_formula = part.replace('"', " ").lstrip().startswith(FORMULA_SIGNS)
    return f"'{part}" if is_formula or part.startswith("'") else part


def _owner(found: dict[str, Owner], task: TaskRow) -> tuple[str, str]:
    owner = found.get(task.user_id, UNKNOWN_OWNER)
    return owner.email, owner.name


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='microseconds')}Z"
    if isinstance(value, bool):
        return "true" if value else "false"
    return defused(value) if isinstance(value, str) else "" if value is None else str(value)
