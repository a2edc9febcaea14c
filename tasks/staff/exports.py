"""Tasks as CSV, for a spreadsheet.

Source: issue "Staff and operators", export; OWASP, "CSV Injection".
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from tasks.better_auth_users import NOBODY, Owner, owners, table_exists
from tasks.models import TaskQuerySet, TaskRow

BATCH_SIZE = 2000  # tasks read at a time
OWNER_COLUMNS = ("owner_email", "owner_name")
# What makes a spreadsheet take a text for a formula, also as East Asian keyboards type it
FORMULA_SIGNS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(tasks: TaskQuerySet) -> Iterator[str]:
    """Write tasks as CSV, newest first, a batch of lines at a time.

    Each batch is read by a statement of its own that begins after the last task's id, so that
    neither memory nor a transaction grows with the table.
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
    """Keep a spreadsheet from running a text as a formula.

    A text that it might run, or that begins with an apostrophe, gets an apostrophe in front; taking
    one from each cell that begins with one gives the texts back.
    """
    begins = text.lstrip().startswith(FORMULA_SIGNS) or text.startswith(("\t", "\r", "\n", "'"))
    return f"'{text}" if begins else text


def _owner(found: dict[str, Owner], task: TaskRow) -> tuple[str, str]:
    owner = found.get(task.user_id, NOBODY)
    return owner.email, owner.name


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime(settings.API_DATETIME_FORMAT)
    if isinstance(value, bool):
        return "true" if value else "false"
    return defused(value) if isinstance(value, str) else "" if value is None else str(value)
