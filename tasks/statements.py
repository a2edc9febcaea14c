"""SQL that is compiled once and run many times.

Building a queryset and compiling it costs as much as asking PostgreSQL; the SQL of an endpoint is
always the same. A statement is compiled from a queryset, so that the model and ``get_queryset``
stay the one source of what it says, with parameters in the places of what changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Func, Value
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone


class Parameter(str):
    """Stands in a statement for the value of this name, which each run brings."""

    __slots__ = ()


def parameter(name: str) -> Value:
    """Make a parameter for where an expression can stand: nothing checks or converts its value."""
    return Value(Parameter(name))


class InUTC(Func):
    """A moment as the wall clock of UTC shows it, without a time zone.

    A time with a zone is one of the session's, which belongs to the pooler, and reading it costs
    several microseconds more.
    """

    template = "(%(expressions)s AT TIME ZONE 'UTC')"
    output_field = models.DateTimeField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Read the text as it is: that is how Django keeps moments there."""
        return self.as_sql(compiler, connection, template="%(expressions)s", **context)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """Take the zone away that Django has given to what SQLite keeps without one."""
        return [_naive] if connection.vendor == "sqlite" else []


def _naive(value: datetime, *context: Any) -> datetime:
    return value.replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """Give a moment that was read the time zone that it is in."""
    return moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled statement.

    Args:
        using: the alias of its database.
        sql: the text, with ``%s`` for each parameter; empty for one that can meet nothing.
        parameters: constants, and ``Parameter`` for what each run brings.
        converters: by the number of a column, Django's functions for what is read there, and the
            expression that they take.
    """

    using: str
    sql: str
    parameters: Sequence[Any]
    converters: Sequence[tuple[int, tuple[Sequence[Any], Any]]] = ()

    def run(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it, and return the rows.

        Args:
            values: the value of each parameter, as the database's module takes it.
        """
        if not self.sql:
            return []
        bound = [values[each] if type(each) is Parameter else each for each in self.parameters]
        connection = connections[self.using]
        rows = _fetch_all(connection, self.sql, bound)
        return [self._converted(row, connection) for row in rows] if self.converters else rows

    def now(self) -> Any:
        """Return this moment as a parameter takes it."""
        return connections[self.using].ops.adapt_datetimefield_value(timezone.now())

    def _converted(self, row: tuple[Any, ...], connection: Any) -> tuple[Any, ...]:
        values = list(row)
        for number, (functions, expression) in self.converters:
            for function in functions:
                values[number] = function(values[number], expression, connection)
        return tuple(values)


def _fetch_all(connection: Any, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    if getattr(connection, "can_skip_cursor", False):  # todo_project/postgresql/base.py
        return connection.fetch_all(sql, parameters)  # type: ignore[no-any-return]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()  # type: ignore[no-any-return]


def select(queryset: models.QuerySet[Any], columns: Sequence[Any]) -> Statement:
    """Compile what reads columns, names or expressions, of what a queryset holds."""
    compiler = queryset.values_list(*columns).query.get_compiler(queryset.db)
    return Statement(queryset.db, *_as_sql(compiler), _converters(compiler))


def insert(
    queryset: models.QuerySet[Any], values: Mapping[str, Any], columns: Sequence[Any]
) -> Statement:
    """Compile what inserts a row and returns columns of it.

    Args:
        queryset: of the model.
        values: by column, constants that need no conversion, or parameters.
        columns: names or expressions, as a ``SELECT`` would read them.
    """
    quote = connections[queryset.db].ops.quote_name
    names = ", ".join(quote(name) for name in values)
    places = ", ".join(["%s"] * len(values))
    sql = f"INSERT INTO {quote(queryset.model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
    return _returning(sql, list(values.values()), queryset, columns)


def update(
    queryset: models.QuerySet[Any], values: Mapping[str, Any], columns: Sequence[Any]
) -> Statement:
    """Compile what writes values and returns columns of what it has changed.

    Args:
        queryset: what is changed.
        values: values or expressions by field name.
        columns: names or expressions, as a ``SELECT`` would read them.
    """
    query: UpdateQuery = queryset.query.chain(UpdateQuery)  # type: ignore[assignment]  # stubs
    query.add_update_values(dict(values))
    return _returning(*_as_sql(query.get_compiler(queryset.db)), queryset, columns)


def delete(queryset: models.QuerySet[Any]) -> Statement:
    """Compile what deletes what a queryset holds, and returns the ids.

    ``QuerySet.delete()`` wraps its statement in a transaction of its own, two round trips more, to
    collect what refers to it.
    """
    query: DeleteQuery = queryset.query.chain(DeleteQuery)  # type: ignore[assignment]  # stubs
    return _returning(*_as_sql(query.get_compiler(queryset.db)), queryset, ["id"])


def _returning(
    sql: str, parameters: Sequence[Any], queryset: models.QuerySet[Any], columns: Sequence[Any]
) -> Statement:
    """Let a statement return what a ``SELECT`` would read, converted in the same way."""
    every = queryset.model._base_manager.using(queryset.db)
    compiler = every.values_list(*columns).query.get_compiler(queryset.db)
    compiler.setup_query()
    returned = ", ".join(compiler.compile(column)[0] for column, _, _ in compiler.select)
    sql = f"{sql} RETURNING {returned}" if sql else ""
    return Statement(queryset.db, sql, parameters, _converters(compiler))


def _as_sql(compiler: SQLCompiler) -> tuple[str, Sequence[Any]]:
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:  # a condition that nothing can meet, such as queryset.none()
        return "", ()
    return sql, parameters


def _converters(compiler: SQLCompiler) -> Sequence[tuple[int, tuple[Sequence[Any], Any]]]:
    columns = [column for column, _, _ in compiler.select]
    return tuple(compiler.get_converters(columns).items())
