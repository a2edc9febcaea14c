"""Tells an outage of the database from a fault of this service."""

from django.db import DatabaseError, InterfaceError, OperationalError, connection

# SQLSTATEs, or the beginnings of them
READ_ONLY = "25006"  # a standby refuses to write
OUTAGES = (
    READ_ONLY,
    "25P03",  # the server has ended a transaction that was idle
    "08",  # the connection has failed
    "57P0",  # the server shuts down or starts, or an operator has ended the connection
)


def sqlstate(error: Exception) -> str:
    """Return the SQLSTATE of a database error, or an empty string."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def is_outage(error: Exception) -> bool:
    """Return whether an error means that the database cannot be used at the moment.

    A statement that the database rejects is a fault of this service, unless the connection is gone:
    behind a pooler, it may end with an error of any class.

    Source: docs/contract.md, "Errors" (503).
    """
    if isinstance(error, (OperationalError, InterfaceError)):
        return True
    if not isinstance(error, DatabaseError):
        return False
    return sqlstate(error).startswith(OUTAGES) or not connection.is_usable()
