"""Inspects an existing ``task`` table and decides whether it can be adopted.

Source: docs/decisions/0018-adopting-the-old-table.md.
"""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

TEXTS = ("character varying", "text")
TIMES = ("timestamp without time zone", "timestamp with time zone")
# The required columns and the types that this back end supports
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
        base_type: the type without length or precision.
        exact_type: the type with length and precision.
        length: the maximum length of a ``varchar``, in characters; ``None`` if there is none.
        is_nullable: whether it allows ``NULL``.
        has_default: whether it has a default or is an identity column.
        is_key: whether the primary key consists of this column alone.
        sequence: the name of the sequence that it owns, if any.
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
    """The relation that the name ``task`` resolves to.

    Args:
        name: the schema-qualified name, quoted if necessary.
        is_table: whether it is an ordinary table, not a view or an index.
        columns: the columns by name, in table order.
    """

    name: str
    is_table: bool
    columns: dict[str, Column]


def find_table(connection: BaseDatabaseWrapper) -> OldTable | None:
    """Find the relation ``task`` on the ``search_path`` of a PostgreSQL connection."""
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
            # atttypmod of a varchar is its length plus 4
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
    """Return why the existing ``task`` cannot be adopted.

    Returns:
        A message for the operator; ``None`` if ``task`` does not exist or can be adopted.
    """
    if connection.vendor == "sqlite":
        if "task" not in connection.introspection.table_names():
            return None
        name, reasons = "task", ["only a PostgreSQL table can be adopted"]
    else:
        table = find_table(connection)
        reasons = _reasons(table) if table else []
        name = table.name if table else ""
    if not reasons:
        return None
    return (
        f"The database already has a relation {name} that cannot be adopted as the FastAPI back"
        f" end's task table: {'; '.join(reasons)}. Nothing was changed. Rename it, or use another"
        " database."
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
            reasons.append(f"its column {name} is NOT NULL without a default")
    key = table.columns.get("id")
    if key and not key.is_key:
        reasons.append("its id is not the primary key")
    if key and not (key.sequence and key.has_default):
        reasons.append("its id does not default to its own sequence")
    return reasons
