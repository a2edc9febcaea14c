"""The ``task`` table that a database may already have: what it is like, whether it is the plan's.

Source: issue "Nothing lost, nothing twice", take-over.
"""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

TEXTS = ("character varying", "text")
TIMES = ("timestamp without time zone", "timestamp with time zone")
# The columns of the plan's table, each with the types that this back end can work with
COLUMNS = {
    "id": ("integer", "bigint"),
    "user_id": TEXTS,
    "title": TEXTS,
    "description": TEXTS,
    "completed": ("boolean",),
    "created_at": TIMES,
    "updated_at": TIMES,
}


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        base_type: without its length or precision.
        exact_type: with it.
        length: in characters, of a ``varchar`` that has one.
        is_nullable: whether it may be ``NULL``.
        has_default: whether it has a value where an ``INSERT`` gives none.
        is_key: whether it is the primary key, alone.
        sequence: the name of the sequence that it owns.
    """

    base_type: str
    exact_type: str
    length: int | None
    is_nullable: bool
    has_default: bool
    is_key: bool
    sequence: str | None


@dataclass(frozen=True)
class OldTable:
    """What the name ``task`` leads to.

    Args:
        name: with its schema, quoted.
        is_table: whether it is an ordinary table, and no view or index.
        columns: by name, in their order.
    """

    name: str
    is_table: bool
    columns: dict[str, Column]


def find_table(connection: BaseDatabaseWrapper) -> OldTable | None:
    """Look where a statement of ours would look: along the ``search_path``.

    Args:
        connection: to a PostgreSQL.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', nspname, relname), relkind = 'r' FROM pg_class"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE pg_class.oid = to_regclass('task')"
        )
        if (found := cursor.fetchone()) is None:
            return None
        name, is_table = found
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL), format_type(atttypid, atttypmod),"
            # the length of a varchar is kept with four bytes added
            " CASE WHEN atttypid = 'varchar'::regtype AND atttypmod > 0 THEN atttypmod - 4 END,"
            " NOT attnotnull, atthasdef OR attidentity <> '',"
            " EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary"
            " AND indnatts = 1 AND indkey[0] = attnum),"
            " pg_get_serial_sequence(attrelid::regclass::text, attname)"
            " FROM pg_attribute WHERE attrelid = to_regclass('task') AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        )
        columns = {column: Column(*values) for column, *values in cursor.fetchall()}
    return OldTable(name, is_table, columns)


def refusal(connection: BaseDatabaseWrapper) -> str | None:
    """Say why the database's ``task`` cannot be taken over.

    Returns:
        Sentences for whoever runs ``migrate``; ``None`` where there is none, or none in the way.
    """
    if connection.vendor == "sqlite":
        if "task" not in connection.introspection.table_names():
            return None
        name, reasons = "task", ["only a PostgreSQL database is taken over"]
    else:
        table = find_table(connection)
        reasons = _reasons(table) if table else []
        name = table.name if table else ""
    if not reasons:
        return None
    return (
        f"The database already has a {name}, which cannot be taken over as the task table of the"
        f" FastAPI back end: {'; '.join(reasons)}. Nothing was changed. Rename it, or give this"
        " service a database of its own."
    )


def _reasons(table: OldTable) -> list[str]:
    if not table.is_table:
        return ["it is not an ordinary table"]
    reasons = []
    for name, types in COLUMNS.items():
        column = table.columns.get(name)
        if column is None:
            reasons.append(f"it has no column {name}")
        elif column.base_type not in types:
            reasons.append(f"its {name} is {column.exact_type}, not {' or '.join(types)}")
    for name, column in table.columns.items():
        if name not in COLUMNS and not column.is_nullable and not column.has_default:
            reasons.append(f"its column {name} needs a value that this back end does not have")
    key = table.columns.get("id")
    if key and not key.is_key:
        reasons.append("its id is not the primary key")
    if key and not (key.sequence and key.has_default):
        reasons.append("its id takes no numbers from a sequence that belongs to it")
    return reasons
