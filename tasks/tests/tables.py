"""Tables of cases that share one test, one database and one client."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Row = TypeVar("Row")


def wrong_rows(
    rows: Iterable[Row], answer: Callable[[Row], Any], expected: Any
) -> list[tuple[str, Any]]:
    """Return the rows whose answer differs from the expected one, each with its answer.

    Args:
        rows: the table.
        answer: computes the answer to a row; an exception counts as its ``repr()``.
        expected: the value that every answer must equal.
    """
    answers = [(ascii(row)[:80], _answer_or_error(answer, row)) for row in rows]
    assert answers, "a table without rows proves nothing"
    return [(row, got) for row, got in answers if got != expected]


def _answer_or_error(answer: Callable[[Row], Any], row: Row) -> Any:
    try:
        return answer(row)
    except Exception as error:  # noqa: BLE001 - the other rows are asked all the same
        return repr(error)
