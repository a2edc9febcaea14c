"""Reading Better Auth's user table in the same database."""

import os
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tasks import better_auth_users
from tasks.better_auth_users import (
    Owner,
    is_empty,
    owner_is_missing,
    owners,
    table_exists,
    user_ids_matching,
)
from tasks.models import Task
from tasks.tests.better_auth import IDS, add_user, create_table, execute
from tasks.tests.factories import TaskFactory

pytestmark = pytest.mark.django_db

ROLE = f"unprivileged_{os.getpid()}"  # `pytest -n` processes share the roles
FASTAPI = 'CREATE TABLE "user" (id text PRIMARY KEY, email text, email_verified boolean, name text)'


@pytest.mark.parametrize("statement", ["", FASTAPI], ids=["no table", "the old back end's"])
def test_without_the_table_there_are_no_users(statement: str) -> None:
    """Neither the current role nor the rows of another ``user`` table may count as users."""
    if statement:
        execute(statement)
        execute("INSERT INTO \"user\" (id, email, name) VALUES ('alice', 'a@example.com', 'A')")

    assert (table_exists(), is_empty()) == (False, True)
    assert (owners(["alice", "postgres"]), user_ids_matching("a", 10)) == ({}, [])


def test_a_new_or_dropped_table_is_noticed_at_once() -> None:
    """The existence of the table must not be cached."""
    seen = [table_exists()]
    create_table()
    seen += [table_exists(), is_empty()]
    add_user("alice", "ada@example.com", "Ada")
    seen += [is_empty()]
    execute('DROP TABLE "user"')

    assert [*seen, table_exists()] == [False, True, True, False, False]


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_any_type_are_compared_as_text(kind: str) -> None:
    """Ids of type text, uuid or integer must be compared as text."""
    id_type, alice, bob = IDS[kind]
    create_table(id_type)
    add_user(alice, "ada@example.com", "Ada")
    add_user(bob, "bob@example.com", "Bob")
    TaskFactory.create(user_id=alice)
    missing = ("nobody", f"{alice} ", f"{alice[:-1]}9")  # the last one is a valid id of this type
    orphans = [TaskFactory.create(user_id=owner).id for owner in missing]

    assert owners([alice, *missing]) == {alice: Owner("ada@example.com", "Ada")}
    assert user_ids_matching("BOB@", 10) == [bob]
    assert [task.id for task in Task.objects.filter(owner_is_missing()).order_by("id")] == orphans


def test_owners_are_read_in_one_query() -> None:
    """Reading many owners must take two queries (columns, users); reading none must take none."""
    create_table()
    for number in range(30):
        add_user(f"user{number}", f"user{number}@example.com")

    with CaptureQueriesContext(connection) as captured:
        found = owners([f"user{number}" for number in range(30)])
        none = owners([])

    assert (len(found), len(none)) == (30, 0)
    assert len([query for query in captured if "SAVEPOINT" not in str(query["sql"])]) == 2
    assert len(user_ids_matching("example", 3)) == 3  # the limit


def test_no_other_column_is_read() -> None:
    """Only ``id``, ``email`` and ``name`` may be selected."""
    create_table()
    add_user("alice", "ada@example.com", "Ada")

    with CaptureQueriesContext(connection) as captured:
        owners(["alice"])
        user_ids_matching("ada", 10)
        is_empty()

    statements = [str(query["sql"]) for query in captured if 'FROM "user"' in str(query["sql"])]
    assert len(statements) == 3
    assert not [sql for sql in statements if "*" in sql or "image" in sql or "Verified" in sql]


def test_without_the_name_column_names_are_empty() -> None:
    """The column ``name`` must be optional."""
    create_table(columns="")
    execute("INSERT INTO \"user\" (id, email) VALUES ('alice', 'ada@example.com')")

    assert owners(["alice"]) == {"alice": Owner("ada@example.com", "")}
    assert user_ids_matching("ada", 10) == ["alice"]


def test_the_search_is_literal_and_ignores_case() -> None:
    """No character of a search may act as a wildcard, and case must not matter."""
    create_table()
    add_user("alice", "ada@example.com", "Ada Lovelace")
    add_user("bob", "a_b@example.com", "100% c\\d")
    expected = {
        **dict.fromkeys(("ada@example.com", "ADA@", "love", "Ada Lovelace"), ("alice",)),
        **dict.fromkeys(("100%", "a_b", "c\\d", "%", "_"), ("bob",)),
        "'": (),
    }

    assert {text: tuple(user_ids_matching(text, 10)) for text in expected} == expected


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.django_db(transaction=True)
def test_a_table_dropped_between_the_queries_is_not_an_error(
    monkeypatch: pytest.MonkeyPatch, in_transaction: bool
) -> None:
    """The result must be empty, and a surrounding transaction must remain usable."""
    columns: list[dict[str, bool]] = [{"id": True, "email": True, "emailVerified": True}, {}]
    monkeypatch.setattr(better_auth_users, "_columns", lambda: columns.pop(0))

    if in_transaction:
        with transaction.atomic():
            assert owners(["alice"]) == {}
            assert not Task.objects.exists()
    else:
        assert owners(["alice"]) == {}


def test_other_errors_are_raised() -> None:
    """An error must not be suppressed while the table exists."""
    create_table()

    with pytest.raises(DatabaseError), transaction.atomic():
        better_auth_users._read('SELECT nothing FROM "user"')  # noqa: SLF001


@pytest.fixture
def _role(db: None) -> Any:
    """Create the table, and a role without privileges."""
    create_table()
    execute("INSERT INTO \"user\" (id, email, name) VALUES ('alice', 'ada@example.com', 'Ada')")
    execute(f"CREATE ROLE {ROLE}")
    yield
    execute("RESET ROLE")


@pytest.mark.postgresql
@pytest.mark.usefixtures("_role")
def test_an_unreadable_table_counts_as_missing() -> None:
    """Without the ``SELECT`` privilege there must be no error and no users."""
    execute(f"SET ROLE {ROLE}")

    assert (table_exists(), owners(["alice"]), user_ids_matching("ada", 10)) == (False, {}, [])


@pytest.mark.postgresql
@pytest.mark.usefixtures("_role")
@pytest.mark.parametrize(("column", "name"), [("", ""), (", name", "Ada")])
def test_column_privileges_are_sufficient(column: str, name: str) -> None:
    """``SELECT`` on ``id``, ``email`` and optionally ``name`` must be enough."""
    execute(f'GRANT SELECT (id, email{column}) ON "user" TO {ROLE}')
    execute(f"SET ROLE {ROLE}")

    assert owners(["alice"]) == {"alice": Owner("ada@example.com", name)}


@pytest.mark.postgresql
@pytest.mark.usefixtures("_role")
def test_the_search_path_selects_the_table() -> None:
    """The first ``user`` table on the search path must be used, as it is by Better Auth."""
    execute("CREATE SCHEMA old")
    execute('CREATE TABLE old."user" (id text, email text)')
    execute("SET LOCAL search_path = old, public")

    assert not table_exists()
    assert owners(["alice"]) == {}
