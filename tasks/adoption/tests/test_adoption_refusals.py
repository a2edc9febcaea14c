"""Relations named ``task`` that cannot be adopted."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError

from tasks.adoption.checks import INCOMPATIBLE_TABLE
from tasks.adoption.tests.old_databases import PLAN, ROWS, empty, execute, migrate, snapshot

pytestmark = pytest.mark.usefixtures("old_database")

INCOMPATIBLE = "CREATE TABLE task (id SERIAL PRIMARY KEY, name TEXT, done BOOLEAN)"
TWO_KEYS = "ALTER TABLE task ADD PRIMARY KEY (id, user_id)"
VIEW = "CREATE VIEW task AS SELECT * FROM todo"


def unchanged(before: dict[str, Any]) -> bool:
    """Return whether the relations in ``before`` are unchanged; Django's own tables may be new."""
    after = snapshot()
    return {name: after.get(name) for name in before} == before


def changed(old: str, new: str) -> str:
    """Return the DDL of the plan's table with one replacement."""
    assert old in PLAN
    return PLAN.replace(old, new, 1)


NO_KEY = changed("SERIAL PRIMARY KEY", "SERIAL")
# The DDL of relations that are refused, by the reason
INCOMPATIBLE_TABLES = {
    "it has no column user_id; it has no column title": [INCOMPATIBLE],
    "its id is uuid, not integer or bigint": [changed("id SERIAL", "id UUID")],
    "its id is not the primary key": [NO_KEY, NO_KEY + TWO_KEYS],
    "its id does not default to its own sequence": [changed("id SERIAL", "id INTEGER")],
    "its user_id is integer, not": [changed("user_id VARCHAR", "user_id INTEGER")],
    "its title is character(200), not": [changed("VARCHAR(200)", "CHAR(200)")],
    "its completed is integer, not": [changed("BOOLEAN NOT NULL DEFAULT FALSE", "INTEGER")],
    "its created_at is date, not": [changed("TIMESTAMP WITHOUT TIME ZONE", "DATE")],
    "its column list_id is NOT NULL": [changed("user_id", "list_id INTEGER NOT NULL, user_id")],
    "it is not an ordinary table": [PLAN.replace("task", "todo") + VIEW],
}


@pytest.mark.postgresql
def test_an_incompatible_table_is_refused(subtests: pytest.Subtests) -> None:
    """An incompatible table must not be changed, and the error must state the reason."""
    for reason, ddl in (
        (reason, ddl) for reason, each in INCOMPATIBLE_TABLES.items() for ddl in each
    ):
        empty()
        execute(ddl)
        before = snapshot()

        with subtests.test(ddl=ddl):
            with pytest.raises(CommandError, match=r"has a relation public\.task that") as refused:
                migrate()

            assert reason in str(refused.value)
            assert unchanged(before)


@pytest.mark.postgresql
def test_an_incompatible_table_is_refused_before_anything_is_created() -> None:
    """If the table is incompatible, not even Django's own tables may be created."""
    execute(INCOMPATIBLE)
    before = snapshot()

    with pytest.raises(SystemCheckError, match=INCOMPATIBLE_TABLE):
        call_command("migrate", verbosity=0, skip_checks=False)

    assert snapshot() == before


@pytest.mark.sqlite
def test_a_table_in_sqlite_is_refused() -> None:
    """An existing SQLite table must not be changed, and the error must state the reason."""
    execute("CREATE TABLE task (id INTEGER NOT NULL PRIMARY KEY)", "INSERT INTO task VALUES (1)")

    with pytest.raises(CommandError, match="only a PostgreSQL table can be adopted"):
        migrate()

    assert execute("SELECT * FROM task") == [(1,)]


def test_an_empty_database_passes_the_check() -> None:
    """``migrate`` must succeed on an empty database, and again afterwards."""
    migrate(skip_checks=False)
    migrate(skip_checks=False)

    assert execute("SELECT count(*) FROM task") == [(0,)]


@pytest.mark.postgresql
def test_a_failed_change_is_rolled_back() -> None:
    """If PostgreSQL rejects a change, nothing may change, and the error must state the cause."""
    execute(PLAN, ROWS, "CREATE VIEW recent AS SELECT updated_at FROM task")
    before = snapshot()

    with pytest.raises(CommandError, match="nothing was changed: cannot alter type of a column"):
        migrate()

    assert unchanged(before)


@pytest.fixture
def busy(old_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep open a transaction that has read the table."""
    monkeypatch.setattr("tasks.adoption.operation.LOCK_TIMEOUT_SECONDS", 0.2)
    execute(PLAN, ROWS)
    with psycopg.connect(old_database) as other:
        other.execute("SELECT * FROM task")
        yield


@pytest.mark.postgresql
@pytest.mark.usefixtures("busy")
def test_a_locked_table_is_an_error_after_the_timeout() -> None:
    """Other queries wait behind the lock request, so it must time out with a hint."""
    before = snapshot()

    with pytest.raises(CommandError, match="a transaction has been using it") as refused:
        migrate()

    assert isinstance(refused.value.__cause__, DatabaseError)
    assert unchanged(before)
