"""The markers by which ``make test`` selects tests, and other rules and helpers of the suite."""

import re
from typing import Any

import pytest
from django.db import connection

from authn.tests.forge import verdict
from conftest import require_marker
from tasks.tests.tables import wrong_rows
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.waiting import wait_until


def test_a_test_without_a_database_fixture_has_no_access_to_the_database(
    request: pytest.FixtureRequest,
) -> None:
    """``make test`` must run such a test on one database only."""
    assert request.node.get_closest_marker("no_database")
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()


@pytest.mark.django_db
def test_a_test_with_a_database_fixture_runs_on_both_databases(
    request: pytest.FixtureRequest,
) -> None:
    """Such a test must not have the marker for tests that run once."""
    assert not request.node.get_closest_marker("no_database")


def test_starting_a_process_requires_a_marker() -> None:
    """``make test-quick`` must be able to skip every test that starts a process."""
    with pytest.raises(pytest.fail.Exception, match=r"needs @pytest\.mark\.live"):
        require_marker("live")


def test_no_test_module_imports_another() -> None:
    """Shared code must be in a module that is not a test module."""
    modules = [
        *BASE_DIR.glob("*/tests/test_*.py"),
        *BASE_DIR.glob("faults/test_*.py"),
        *BASE_DIR.glob("hostile/test_*.py"),
    ]
    importing = re.compile(r"^\s*(from|import)\b.*\btest_\w+", re.MULTILINE)

    assert modules
    assert [path.name for path in modules if importing.search(path.read_text())] == []


def test_wrong_rows_reports_each_row_and_its_error() -> None:
    """A table test must check all rows, report those that failed, and fail without rows."""
    found = wrong_rows([1, 0, 2], lambda row: {1: 2, 2: 1}[row], expected=2)

    assert found == [("0", repr(KeyError(0))), ("2", 1)]
    with pytest.raises(AssertionError, match="without rows"):
        wrong_rows([], str, expected="")


def test_a_wait_ends_with_the_first_true_value() -> None:
    """How often the condition is looked at must not depend on the machine here."""
    values = iter([None, 0, 7])

    assert wait_until(lambda: next(values)) == 7
    assert wait_until(lambda: 8, seconds=0) == 8
    with pytest.raises(AssertionError, match="what was seen"):
        wait_until(lambda: False, seconds=0, log=lambda: "what was seen")


def test_a_verifiers_exception_is_a_verdict() -> None:
    """A table test of tokens must continue after an exception."""
    nothing: Any = None

    assert "AttributeError" in verdict("a.b.c", nothing)
