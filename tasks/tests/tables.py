"""Tables of cases that share one test, one database and one client."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Row = TypeVar("Row")


def wrong_rows(
    rows: Iterable[Row], outcome: Callable[[Row], Any], expected: Any
) -> list[tuple[str, Any]]:
    """Return the rows whose outcome differs from the expected one, each with its outcome.

    Args:
        rows: the table.
        outcome: computes the outcome of a row; an exception counts as its ``repr()``.
        expected: the value that every outcome must equal.
    """
    outcomes = [(ascii(row)[:80], _outcome_or_error(outcome, row)) for row in rows]
    assert outcomes, "a table without rows proves nothing"
    return [(row, got) for row, got in outcomes if got != expected]


def _outcome_or_error(outcome: Callable[[Row], Any], row: Row) -> Any:
    try:
        return outcome(row)
    except Exception as error:  # noqa: BLE001 - the remaining rows must still be checked
        return repr(error)
