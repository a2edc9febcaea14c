"""The short way to PostgreSQL: the same answers as Django's, seen by every wrapper."""

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

# what a text column of PostgreSQL can hold
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the statements that go the short way."""
    seen: list[str] = []
    fetch_all = DeadlineConnection.fetch_all

    def watched(self: DeadlineConnection, sql: str, parameters: Any) -> Any:
        seen.append(sql)
        return fetch_all(self, sql, parameters)

    monkeypatch.setattr(DeadlineConnection, "fetch_all", watched)
    return seen


def both_ways(title: str, description: str | None, *, completed: bool) -> list[Any]:
    """Create, read, change, flip and remove a task; return what each showed but for its id."""
    values = {"title": title, "description": description, "completed": completed}
    task = Task.objects.add(user_id="alice", **values)
    mine = Task.objects.owned_by("alice").filter(pk=task.id)
    swapped = {"title": description or "", "description": title, "completed": not completed}
    shown: list[Any] = [task, mine.row(), mine.change(**swapped), mine.row()]
    assert [row.id for row in shown] == [task.id] * 4
    shown.append(mine.compile_delete().run() == [(task.id,)])
    return [_without_what_differs(row) if isinstance(row, TaskRow) else row for row in shown]


def _without_what_differs(row: TaskRow) -> tuple[Any, ...]:
    kinds = tuple(type(value) for value in row)
    return (*row[1:5], *kinds, row.created_at.tzinfo, row.created_at < row.updated_at)


@given(texts, st.none() | texts, st.booleans())
def test_the_short_way_answers_like_djangos(
    title: str, description: str | None, completed: bool
) -> None:
    """Both ways must read and write the same values of the same types."""
    short = both_ways(title, description, completed=completed)
    with CaptureQueriesContext(connection):
        djangos = both_ways(title, description, completed=completed)

    assert short == djangos


def test_a_statement_takes_it_and_a_wrapper_sees_it(taken: list[str]) -> None:
    """What an endpoint runs must take it, and who measures or forbids statements see it."""
    seen = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        assert Task.objects.owned_by("alice").row() is None

    assert len(seen) == 1
    assert seen == taken


def test_it_is_not_taken_in_a_transaction(taken: list[str]) -> None:
    """Django must know of each statement, to tell whether the transaction is broken."""
    with transaction.atomic():
        Task.objects.owned_by("alice").row()

    assert taken == []


def test_a_value_is_read_like_djangos() -> None:
    """What Django registers with a connection must hold for both, and times be in UTC."""
    statement = "SELECT now() - now(), '{\"a\": 1}'::jsonb, 1.50::numeric"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        djangos = cursor.fetchall()
    # The session's zone belongs to the pooler, and must not show
    [(moment,)] = connection.fetch_all("SELECT now()", [])  # type: ignore[attr-defined]

    assert connection.fetch_all(statement, []) == djangos  # type: ignore[attr-defined]
    assert moment.tzinfo is dt.UTC


def test_what_the_database_says_is_djangos_error() -> None:
    """The handler of errors must know it (docs/contract.md, "Errors")."""
    with pytest.raises(DataError) as raised:
        connection.fetch_all("SELECT 1 / %s", [0])  # type: ignore[attr-defined]

    assert isinstance(raised.value.__cause__, psycopg.errors.DivisionByZero)


def test_a_large_answer_is_not_kept() -> None:
    """An idle connection must not hold what a user with many tasks has read."""
    connection.ensure_connection()
    driver: Any = connection.connection
    statement = "SELECT * FROM generate_series(1, %s)"

    assert len(driver.fetch_all(statement, [KEPT_ROWS])) == KEPT_ROWS
    assert driver.kept_cursor.rowcount == KEPT_ROWS
    assert len(driver.fetch_all(statement, [KEPT_ROWS + 1])) == KEPT_ROWS + 1
    assert driver.kept_cursor.rowcount == -1
