"""Which errors are an outage of the database (docs/contract.md, "Errors", 503)."""

from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from psycopg import errors

from todo_project import outages
from todo_project.outages import is_outage, sqlstate

OUTAGES = (
    *("08000", "08001", "08003", "08004", "08006", "08007", "08P01", "25006", "25P03"),
    *("57P01", "57P02", "57P03", "57P04", "57P05"),
)
FAULTS = ("0A000", "22001", "23505", "25001", "25P02", "34000", "42501", "42P01", "57000", "XX000")


def error_with(code: str, kind: type[DatabaseError] = InternalError) -> DatabaseError:
    """Return Django's error for an error of the server with this SQLSTATE."""
    error = kind("the database reports an error")
    error.__cause__ = errors.lookup(code)("the database reports an error")
    return error


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Replace the check of whether this thread's connection can be used."""
    usable = Mock(return_value=True)
    monkeypatch.setattr(outages, "connection", Mock(is_usable=usable))
    return usable


@pytest.mark.usefixtures("usable")
def test_the_sqlstate_decides() -> None:
    """A lost connection must be an outage in any class of Django's errors, and a fault not."""
    found = {code: is_outage(error_with(code)) for code in (*OUTAGES, *FAULTS)}

    assert found == dict.fromkeys(OUTAGES, True) | dict.fromkeys(FAULTS, False)
    assert sqlstate(error_with("25006")) == "25006"
    assert sqlstate(InternalError("received 2 results from command 'BEGIN'")) == ""


def test_a_lost_connection_makes_any_database_error_an_outage(usable: Mock) -> None:
    """Behind a pooler, a statement may end with an error of any class."""
    faults = [InternalError("2 results"), ProgrammingError("no result"), error_with("23505")]
    before = [is_outage(each) for each in faults]
    usable.return_value = False

    assert (before, [is_outage(each) for each in faults]) == ([False] * 3, [True] * 3)
    assert not is_outage(KeyError("title"))
    assert [is_outage(kind()) for kind in (OperationalError, InterfaceError)] == [True, True]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_an_error_that_closes_the_connection_is_operational() -> None:
    """Leaving a transaction opens another connection, which says nothing about the error."""

    def fail(*, is_lost: bool) -> Any:
        yield from ()
        if is_lost:
            connection.connection.close()
        raise psycopg.InternalError("received 2 results from command 'BEGIN'")

    connection.ensure_connection()
    with pytest.raises(psycopg.InternalError):
        connection.connection.wait(fail(is_lost=False))
    with pytest.raises(psycopg.OperationalError, match="2 results"):
        connection.connection.wait(fail(is_lost=True))
    connection.close()
