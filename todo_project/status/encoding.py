"""The encoding of a PostgreSQL database, which must be able to hold every text."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

UTF8 = "UTF8"
REMEDY = (
    "Create another database: CREATE DATABASE todo ENCODING 'UTF8' TEMPLATE template0, and name it"
    " in the URL."
)


def encoding_problem(connection: BaseDatabaseWrapper) -> str:
    """Return a sentence if the database cannot hold every text, or else an empty string.

    The server has sent its encoding when the connection was opened, so that no query is needed.
    With LATIN1, the first emoji would be a 500; with SQL_ASCII, lengths would count bytes.

    Raises:
        DatabaseError, InterfaceError: the database does not answer.

    Source: docs/contract.md, "A task".
    """
    if connection.vendor != "postgresql":
        return ""
    connection.ensure_connection()
    # A pooler that does not pass it on is trusted.
    encoding = connection.connection.info.parameter_status("server_encoding") or UTF8
    return "" if encoding == UTF8 else f"the encoding of the database is {encoding}, not {UTF8}"


@register(Tags.database)
def check_encoding(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database that cannot hold every text. ``migrate`` runs this check first.

    Raises:
        ImproperlyConfigured: the encoding is another one. Django would print the message of a check
            in several lines.
    """
    for alias in databases or ():
        if problem := encoding_problem(connections[alias]):
            raise ImproperlyConfigured(f"{problem[0].upper()}{problem[1:]}. {REMEDY}")
    return []
