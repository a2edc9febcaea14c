"""SQL that is compiled once and run many times.

Building and compiling a queryset costs as much as running it. A statement is compiled from a
queryset, with parameters in place of the values that change, so the model and ``get_queryset``
remain its only source.

Source: docs/decisions/0003-compiled-statements.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Func, Value
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

# Types that the database drivers accept without conversion
PLAIN_TYPES = frozenset({str, int, bool, type(None)})


class Parameter(str):
    """The name of a value that is passed to each run of a statement."""

    __slots__ = ()


def parameter(name: str) -> Value:
    """Return a parameter as an expression."""
    return Value(Parameter(name))


class InUTC(Func):
    """A datetime column in UTC, without a time zone.

    The pooler determines the session's time zone, and converting from it costs microseconds.
    """

    template = "(%(expressions)s AT TIME ZONE 'UTC')"
    output_field = models.DateTimeField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Select the column itself: on SQLite, Django stores UTC."""
        return self.as_sql(compiler, connection, template="%(expressions)s", **context)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """Remove the time zone that Django adds on SQLite."""
        return [_naive] if connection.vendor == "sqlite" else []


class Clamped(Func):
    """A datetime column, limited to the times that Python can represent.

    PostgreSQL can store others; they are read as the nearest time.

    Source: docs/adoption.md, "Times that cannot be shown".
    """

    template = (
        "LEAST(GREATEST(%(expressions)s, '0001-01-01 00:00:00+00'),"
        " '9999-12-31 23:59:59.999999+00')"
    )
    output_field = models.DateTimeField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Return the column itself: SQLite has only times that Django has written."""
        return self.as_sql(compiler, connection, template="%(expressions)s", **context)


def _naive(value: datetime | None, *context: Any) -> datetime | None:
    return value and value.replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled statement.

    Args:
        using: the alias of the database.
        sql: the text, with ``%s`` placeholders; empty if no row can match.
        parameters: constants, and a ``Parameter`` for each value that is passed to a run.
        converters: column numbers, each with Django's converters and the column's expression.
    """

    using: str
    sql: str
    parameters: Sequence[Any]
    converters: Sequence[tuple[int, tuple[Sequence[Any], Any]]] = ()

    def run(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run the statement and return its rows.

        Args:
            values: the value of each parameter. Only a statement that takes values is prepared on
                the server: it is run again, and a list option is not part of its text.
        """
        if not self.sql:
            return []
        connection = connections[self.using]
        adapt = connection.ops.adapt_unknown_value
        bound = [values[each] if type(each) is Parameter else each for each in self.parameters]
        bound = [each if type(each) in PLAIN_TYPES else adapt(each) for each in bound]
        rows = _fetch_all(connection, self.sql, bound, prepare=bool(values))
        return [self._converted(row, connection) for row in rows] if self.converters else rows

    def _converted(self, row: tuple[Any, ...], connection: Any) -> tuple[Any, ...]:
        values = list(row)
        for number, (functions, expression) in self.converters:
            for function in functions:
                values[number] = function(values[number], expression, connection)
        return tuple(values)


def _fetch_all(
    connection: Any, sql: str, parameters: Sequence[Any], *, prepare: bool
) -> list[tuple[Any, ...]]:
    if getattr(connection, "can_skip_cursor", False):  # todo_project/postgresql/base.py
        return connection.fetch_all(sql, parameters, prepare=prepare)  # type: ignore[no-any-return]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()  # type: ignore[no-any-return]


def check_deadline(using: str) -> None:
    """Check that a request that computes for long still has time.

    Args:
        using: the alias of the database. The back ends of ``todo_project`` have a deadline.

    Raises:
        OperationalError: the deadline of the request has passed.
    """
    getattr(connections[using], "check_deadline", lambda: None)()


def select(queryset: models.QuerySet[Any], columns: Sequence[Any]) -> Statement:
    """Compile a ``SELECT`` of columns, given by name or as expressions."""
    compiler = queryset.values_list(*columns).query.get_compiler(queryset.db)
    return Statement(queryset.db, *_as_sql(compiler), _converters(compiler))


def insert(
    queryset: models.QuerySet[Any], values: Mapping[str, Any], columns: Sequence[Any]
) -> Statement:
    """Compile an ``INSERT`` of one row that returns columns of the new row.

    Args:
        queryset: a queryset of the model.
        values: constants that need no conversion, or parameters, by column name.
        columns: names or expressions, as for ``select``.
    """
    quote = connections[queryset.db].ops.quote_name
    names = ", ".join(quote(name) for name in values)
    places = ", ".join(["%s"] * len(values))
    sql = f"INSERT INTO {quote(queryset.model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
    return _returning(sql, list(values.values()), queryset, columns)


def update(
    queryset: models.QuerySet[Any], values: Mapping[str, Any], columns: Sequence[Any]
) -> Statement:
    """Compile an ``UPDATE`` that returns columns of the updated rows.

    Args:
        queryset: the rows to update.
        values: values or expressions, by field name.
        columns: names or expressions, as for ``select``.
    """
    query: UpdateQuery = queryset.query.chain(UpdateQuery)  # type: ignore[assignment]  # stubs
    query.add_update_values(dict(values))
    return _returning(*_as_sql(query.get_compiler(queryset.db)), queryset, columns)


def delete(queryset: models.QuerySet[Any]) -> Statement:
    """Compile a ``DELETE`` that returns the ids of the deleted rows.

    ``QuerySet.delete()`` opens a transaction, which costs two more round trips.
    """
    query: DeleteQuery = queryset.query.chain(DeleteQuery)  # type: ignore[assignment]  # stubs
    return _returning(*_as_sql(query.get_compiler(queryset.db)), queryset, ["id"])


def _returning(
    sql: str, parameters: Sequence[Any], queryset: models.QuerySet[Any], columns: Sequence[Any]
) -> Statement:
    """Add a ``RETURNING`` clause with the columns and converters of a ``SELECT``."""
    every = queryset.model._base_manager.using(queryset.db)
    compiler = every.values_list(*columns).query.get_compiler(queryset.db)
    compiler.setup_query()
    returned = ", ".join(compiler.compile(column)[0] for column, _, _ in compiler.select)
    sql = f"{sql} RETURNING {returned}" if sql else ""
    return Statement(queryset.db, sql, parameters, _converters(compiler))


def _as_sql(compiler: SQLCompiler) -> tuple[str, Sequence[Any]]:
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:  # a condition that never holds, such as queryset.none()
        return "", ()
    return sql, parameters


def _converters(compiler: SQLCompiler) -> Sequence[tuple[int, tuple[Sequence[Any], Any]]]:
    columns = [column for column, _, _ in compiler.select]
    return tuple(compiler.get_converters(columns).items())
