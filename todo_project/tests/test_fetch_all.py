"""The PostgreSQL back end's ``fetch_all`` must match a cursor and run every execute wrapper."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from psycopg.pq import TransactionStatus

from tasks.models import Task, TaskRow
from todo_project.postgresql.connection import DeadlineConnection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
]

# the texts that PostgreSQL can store
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the statements that ``fetch_all`` runs."""
    seen: list[str] = []
    fetch_all = DeadlineConnection.fetch_all

    def record(self: DeadlineConnection, sql: str, parameters: Any, *, prepare: bool) -> Any:
        seen.append(sql)
        return fetch_all(self, sql, parameters, prepare=prepare)

    monkeypatch.setattr(DeadlineConnection, "fetch_all", record)
    return seen


def round_trip(title: str, description: str | None, *, completed: bool) -> list[Any]:
    """Create, read, change and remove a task; return the results without id and times."""
    values = {"title": title, "description": description, "completed": completed}
    task = Task.objects.add(user_id="alice", **values)
    mine = Task.objects.owned_by("alice").filter(pk=task.id)
    swapped = {"title": description or "", "description": title, "completed": not completed}
    results: list[Any] = [task, mine.row(), mine.change(**swapped), mine.row()]
    assert [row.id for row in results] == [task.id] * 4
    results.append(mine.compile_delete().run() == [(task.id,)])
    return [_comparable(row) if isinstance(row, TaskRow) else row for row in results]


def _comparable(row: TaskRow) -> tuple[Any, ...]:
    types = tuple(type(value) for value in row)
    return (*row[1:5], *types, row.created_at.tzinfo, row.created_at < row.updated_at)


@given(texts, st.none() | texts, st.booleans())
def test_fetch_all_returns_the_same_results_as_a_cursor(
    title: str, description: str | None, completed: bool
) -> None:
    """Both must read and write the same values of the same types."""
    by_fetch_all = round_trip(title, description, completed=completed)
    with CaptureQueriesContext(connection):  # logs queries, which needs a cursor
        by_cursor = round_trip(title, description, completed=completed)

    assert by_fetch_all == by_cursor


def test_an_endpoint_uses_fetch_all_and_runs_the_wrappers(fetched: list[str]) -> None:
    """A wrapper that measures or blocks statements must see those of the endpoints."""
    seen = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        assert Task.objects.owned_by("alice").row() is None

    assert len(seen) == 1
    assert seen == fetched


def test_fetch_all_is_not_used_in_a_transaction(fetched: list[str]) -> None:
    """Django must see each statement to know whether the transaction is broken."""
    with transaction.atomic():
        Task.objects.owned_by("alice").row()

    assert fetched == []


def test_fetch_all_is_not_used_without_autocommit(fetched: list[str]) -> None:
    """A statement must be part of the transaction that ``set_autocommit(False)`` begins."""
    transaction.set_autocommit(False)
    Task.objects.owned_by("alice").row()
    is_idle = connection.connection.pgconn.transaction_status == TransactionStatus.IDLE
    transaction.rollback()
    transaction.set_autocommit(True)

    assert (fetched, is_idle) == ([], False)


def test_fetch_all_is_not_used_while_queries_are_logged(fetched: list[str]) -> None:
    """``connection.queries`` must contain the statements of the endpoints."""
    with CaptureQueriesContext(connection) as captured:
        Task.objects.owned_by("alice").row()

    assert len(captured) == 1
    assert fetched == []


def test_a_value_is_loaded_as_by_a_cursor() -> None:
    """The loaders that Django registers must apply, and datetimes must be in UTC."""
    statement = "SELECT now() - now(), '{\"a\": 1}'::jsonb, 1.50::numeric"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        by_cursor = cursor.fetchall()
    # in any session time zone
    [(now,)] = connection.fetch_all("SELECT now()", [])  # type: ignore[attr-defined]

    assert connection.fetch_all(statement, []) == by_cursor  # type: ignore[attr-defined]
    assert now.tzinfo is dt.UTC


def test_a_database_error_is_translated_to_djangos() -> None:
    """The exception handler must recognise the error (docs/contract.md, "Errors")."""
    with pytest.raises(DataError) as raised:
        connection.fetch_all("SELECT 1 / %s", [0])  # type: ignore[attr-defined]

    assert isinstance(raised.value.__cause__, psycopg.errors.DivisionByZero)


def test_a_failed_commit_is_an_error() -> None:
    """A result must not be returned if its commit fails (docs/contract.md, "Concurrency")."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    insert = "INSERT INTO late VALUES (1), (1) RETURNING id"

    with pytest.raises(IntegrityError, match="late_id_key"):
        connection.fetch_all(insert, [])  # type: ignore[attr-defined]
    assert connection.fetch_all("SELECT id FROM late", []) == []  # type: ignore[attr-defined]


def test_a_result_is_not_kept() -> None:
    """An idle connection must not keep a user's long list in memory."""
    statement = "SELECT * FROM generate_series(1, %s)"

    rows = connection.fetch_all(statement, [1000])  # type: ignore[attr-defined]

    assert len(rows) == 1000
    assert connection.connection.transformer.pgresult is None


def test_a_percent_sign_is_not_a_placeholder() -> None:
    """Django doubles a percent sign in the SQL of a statement with parameters."""
    statement = "SELECT 'a' LIKE '%%' || %s, '%%s', 7 %% 4"

    assert connection.fetch_all(statement, ["a"]) == [(True, "%s", 3)]  # type: ignore[attr-defined]


def test_a_nul_character_is_refused() -> None:
    """A text must not be cut off at a NUL character, which PostgreSQL cannot store."""
    with pytest.raises(DataError, match="NUL"):
        connection.fetch_all("SELECT %s", ["a\0b"])  # type: ignore[attr-defined]


def test_a_value_that_exceeds_the_sockets_buffer_is_sent() -> None:
    """A statement that the system does not accept in one piece must be sent in several."""
    text = "long" * 1_000_000

    [(length,)] = connection.fetch_all("SELECT length(%s)", [text])  # type: ignore[attr-defined]

    assert length == len(text)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("stored", "loaded"),
    [
        ("infinity", dt.datetime.max),  # noqa: DTZ901 - naive, as PostgreSQL's type
        ("10000-01-01", dt.datetime.max),  # noqa: DTZ901
        ("9999-12-31 23:59:59.999999", dt.datetime.max),  # noqa: DTZ901
        ("0001-01-01", dt.datetime.min),  # noqa: DTZ901
        ("0001-12-31 BC", dt.datetime.min),  # noqa: DTZ901
        ("-infinity", dt.datetime.min),  # noqa: DTZ901
    ],
)
def test_a_time_outside_of_pythons_range_is_the_nearest(
    zone: str, stored: str, loaded: dt.datetime
) -> None:
    """Without a cursor and with one, and with a time zone or none, it must be the same time."""
    naive, aware = (f"SELECT '{stored}'::{kind}" for kind in ("timestamp", "timestamptz"))

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute(f"SELECT set_config('x.stored', ({aware})::text, true)")
        cursor.execute(f"SET LOCAL TIME ZONE '{zone}'")
        aware = "SELECT current_setting('x.stored')::timestamptz"
        found = [connection.fetch_all(each, []) for each in (naive, aware)]  # type: ignore[attr-defined]
        for statement in (naive, aware):
            cursor.execute(statement)
            found.append(cursor.fetchall())

    with_zone = loaded.replace(tzinfo=dt.UTC)
    assert found == [[(loaded,)], [(with_zone,)]] * 2
    assert connection.connection.transformer.pgresult is None


def test_a_row_of_many_types_is_loaded_with_such_a_time() -> None:
    """The other values of the row must be those of an ordinary row."""
    time = dt.datetime(2026, 1, 6, 15, 30)  # noqa: DTZ001 - naive, as PostgreSQL's type
    statement = "SELECT 7, 'a', true, NULL, %s::timestamp, '-infinity'::timestamp"

    [row] = connection.fetch_all(statement, [time])  # type: ignore[attr-defined]

    assert row == (7, "a", True, None, time, dt.datetime.min)  # noqa: DTZ901


def test_the_first_and_the_last_time_are_loaded() -> None:
    """Times must be exact in the whole range of Python."""
    times = [dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)]
    statement = "SELECT %s::timestamptz AT TIME ZONE 'UTC', %s::timestamptz AT TIME ZONE 'UTC'"
    [loaded] = connection.fetch_all(statement, times)  # type: ignore[attr-defined]

    assert [each.replace(tzinfo=dt.UTC) for each in loaded] == times
