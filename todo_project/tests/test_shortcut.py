"""``fetch_all()``: the results of Django's cursors, through every execute wrapper."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tasks.models import Task, TaskRow
from todo_project.postgresql.connection import KEPT_ROWS, DeadlineConnection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
]

# Texts that a PostgreSQL column can store
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the statements that bypass Django's cursors."""
    statements: list[str] = []
    fetch_all = DeadlineConnection.fetch_all

    def recorded(self: DeadlineConnection, sql: str, parameters: Any) -> Any:
        statements.append(sql)
        return fetch_all(self, sql, parameters)

    monkeypatch.setattr(DeadlineConnection, "fetch_all", recorded)
    return statements


def write_and_read(title: str, description: str | None, *, completed: bool) -> list[Any]:
    """Create, read, change and remove a task; return the result of each step, without the id."""
    values = {"title": title, "description": description, "completed": completed}
    task = Task.objects.add(user_id="alice", **values)
    mine = Task.objects.owned_by("alice").filter(pk=task.id)
    swapped = {"title": description or "", "description": title, "completed": not completed}
    results: list[Any] = [task, mine.row(), mine.change(**swapped), mine.row(), mine.remove()]
    assert [row.id for row in results[:-1]] == [task.id] * 4
    return [_comparable(row) if isinstance(row, TaskRow) else row for row in results]


def _comparable(row: TaskRow) -> tuple[Any, ...]:
    kinds = tuple(type(value) for value in row)
    return (*row[1:5], *kinds, row.created_at.tzinfo, row.created_at < row.updated_at)


@given(texts, st.none() | texts, st.booleans())
def test_the_results_are_the_same_as_djangos(
    title: str, description: str | None, completed: bool
) -> None:
    """Both must read and write the same values of the same types."""
    ours = write_and_read(title, description, completed=completed)
    with CaptureQueriesContext(connection):
        djangos = write_and_read(title, description, completed=completed)

    assert ours == djangos


def test_a_wrapper_gets_the_statement_of_an_endpoint(fetched: list[str]) -> None:
    """Metrics, and tests that forbid queries, must see every statement."""
    seen = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        assert Task.objects.owned_by("alice").row() is None

    assert len(seen) == 1
    assert seen == fetched


def test_it_is_not_used_in_a_transaction(fetched: list[str]) -> None:
    """Django must see each statement, to know whether the transaction is broken."""
    with transaction.atomic():
        Task.objects.owned_by("alice").row()

    assert fetched == []


def test_values_are_loaded_like_djangos() -> None:
    """Django's adapters must apply, and datetimes must be in UTC."""
    statement = "SELECT now() - now(), '{\"a\": 1}'::jsonb, 1.50::numeric"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        djangos = cursor.fetchall()
    # The time zone of the session belongs to the pooler, and must not matter.
    [(now,)] = connection.fetch_all("SELECT now()", [])  # type: ignore[attr-defined]

    assert connection.fetch_all(statement, []) == djangos  # type: ignore[attr-defined]
    assert now.tzinfo is dt.UTC


def test_an_error_of_the_database_is_djangos() -> None:
    """The exception handler must recognise it (docs/contract.md, "Errors")."""
    with pytest.raises(DataError) as raised:
        connection.fetch_all("SELECT 1 / %s", [0])  # type: ignore[attr-defined]

    assert isinstance(raised.value.__cause__, psycopg.errors.DivisionByZero)


def test_a_large_result_is_not_kept() -> None:
    """An idle connection must not keep the rows of a long list in memory."""
    connection.ensure_connection()
    driver: Any = connection.connection
    statement = "SELECT * FROM generate_series(1, %s)"

    assert len(driver.fetch_all(statement, [KEPT_ROWS])) == KEPT_ROWS
    assert driver.kept_cursor.rowcount == KEPT_ROWS
    assert len(driver.fetch_all(statement, [KEPT_ROWS + 1])) == KEPT_ROWS + 1
    assert driver.kept_cursor.rowcount == -1
