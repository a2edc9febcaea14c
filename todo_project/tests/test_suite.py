"""The markers that ``make test`` selects by, and the imports of test modules."""

import re
from typing import Any

import pytest
from django.db import connection

from authn.tests.forge import verdict
from conftest import demand
from tasks.tests.tables import wrong_rows
from todo_project.configuration.environment import BASE_DIR


def test_a_test_that_asks_for_no_database_is_marked_and_has_none(
    request: pytest.FixtureRequest,
) -> None:
    """``make test`` runs such a test once, so it must not depend on the database."""
    assert request.node.get_closest_marker("no_database")
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()


@pytest.mark.django_db
def test_a_test_that_asks_for_a_database_runs_on_both(request: pytest.FixtureRequest) -> None:
    """``make test`` must run on PostgreSQL and on SQLite what uses a database."""
    assert not request.node.get_closest_marker("no_database")


def test_a_process_needs_a_marker() -> None:
    """``make test-quick`` must never start a server, so a test that does needs a marker."""
    with pytest.raises(pytest.fail.Exception, match=r"needs @pytest\.mark\.live"):
        demand("live")


def test_no_test_module_imports_from_another() -> None:
    """What several test modules share must be a helper with a name of its own."""
    modules = [*BASE_DIR.glob("*/tests/test_*.py"), *BASE_DIR.glob("faults/test_*.py")]
    importing = re.compile(r"^\s*(from|import)\b.*\btest_\w+", re.MULTILINE)

    assert modules
    assert [path.name for path in modules if importing.search(path.read_text())] == []


def test_a_table_names_each_wrong_row_and_the_error_that_a_row_causes() -> None:
    """One test over a table must still say which of its rows failed, and go through all."""
    found = wrong_rows([1, 0, 2], lambda row: 2 // row, expected=2)

    assert found == [("0", repr(ZeroDivisionError("integer division or modulo by zero"))), ("2", 1)]
    with pytest.raises(AssertionError, match="without rows"):
        wrong_rows([], str, expected="")


def test_a_fault_of_a_verifier_is_a_verdict() -> None:
    """A table of tokens must go on behind a row that causes a fault."""
    nothing: Any = None

    assert "AttributeError" in verdict("a.b.c", nothing)
