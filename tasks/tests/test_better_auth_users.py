"""Better Auth's table of users, where it is in the same database (issue "Staff and operators")."""

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

FASTAPI = 'CREATE TABLE "user" (id text PRIMARY KEY, email text, email_verified boolean, name text)'


def test_without_the_table_there_is_nobody() -> None:
    """Where there is no such table nothing may break, and the role's name is no user."""
    assert (table_exists(), is_empty()) == (False, True)
    assert (owners(["alice", "postgres"]), user_ids_matching("a", 10)) == ({}, [])


def test_the_old_back_ends_table_is_another_one() -> None:
    """A table of the same name with other columns must not be taken for Better Auth's."""
    execute(FASTAPI)
    execute("INSERT INTO \"user\" (id, email, name) VALUES ('alice', 'a@example.com', 'A')")

    assert (table_exists(), is_empty()) == (False, True)
    assert (owners(["alice"]), user_ids_matching("a", 10)) == ({}, [])


def test_a_table_that_appears_is_seen_at_once() -> None:
    """Nothing may be remembered of a table that is not there yet, or not any more."""
    seen = [table_exists()]
    create_table()
    seen += [table_exists(), is_empty()]
    add_user("alice", "ada@example.com", "Ada")
    seen += [is_empty()]
    execute('DROP TABLE "user"')

    assert [*seen, table_exists()] == [False, True, True, False, False]


@pytest.mark.parametrize("kind", IDS)
def test_an_owner_is_found_by_an_id_of_any_type(kind: str) -> None:
    """Ids may be text, uuid or integer, and are compared as text."""
    id_type, alice, bob = IDS[kind]
    create_table(id_type)
    add_user(alice, "ada@example.com", "Ada")
    add_user(bob, "bob@example.com", "Bob")

    assert owners([alice, "nobody"]) == {alice: Owner("ada@example.com", "Ada")}
    assert user_ids_matching("BOB@", 10) == [bob]


@pytest.mark.parametrize("kind", IDS)
def test_a_task_whose_owner_is_gone_is_found(kind: str) -> None:
    """Only who is not in the table is missing from it."""
    id_type, alice, bob = IDS[kind]
    create_table(id_type)
    add_user(alice, "ada@example.com")
    TaskFactory.create(user_id=alice)
    orphans = [TaskFactory.create(user_id=owner).id for owner in (bob, "nobody", alice + " ")]

    found = Task.objects.filter(owner_is_missing()).order_by("id")

    assert list(found.values_list("id", flat=True)) == orphans
    assert found.delete()[0] == 3


def test_owners_are_looked_up_in_one_statement() -> None:
    """A page of tasks must cost one statement more, beside the look at the columns."""
    create_table()
    for number in range(30):
        add_user(f"user{number}", f"user{number}@example.com")

    with CaptureQueriesContext(connection) as captured:
        found = owners([f"user{number}" for number in range(30)])

    assert len(found) == 30
    assert len([query for query in captured if "SAVEPOINT" not in str(query["sql"])]) == 2


def test_nobody_is_looked_up_without_a_statement() -> None:
    """An empty page must cost nothing."""
    with CaptureQueriesContext(connection) as captured:
        assert owners([]) == {}

    assert len(captured) == 0


def test_no_other_column_is_read() -> None:
    """Whatever else stands in the table is none of ours."""
    create_table()
    add_user("alice", "ada@example.com", "Ada")

    with CaptureQueriesContext(connection) as captured:
        owners(["alice"])
        user_ids_matching("ada", 10)
        is_empty()

    statements = [str(query["sql"]) for query in captured if 'FROM "user"' in str(query["sql"])]
    assert len(statements) == 3
    assert not [sql for sql in statements if "*" in sql or "image" in sql or "Verified" in sql]


def test_a_table_without_names_has_empty_ones() -> None:
    """The name is no part of what the table is recognised by."""
    create_table(columns="")
    execute("INSERT INTO \"user\" (id, email) VALUES ('alice', 'ada@example.com')")

    assert owners(["alice"]) == {"alice": Owner("ada@example.com", "")}
    assert user_ids_matching("ada", 10) == ["alice"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada@example.com", ["alice"]),
        ("ADA@", ["alice"]),
        ("love", ["alice"]),
        ("Ada Lovelace", ["alice"]),
        ("100%", ["bob"]),
        ("a_b", ["bob"]),
        ("c\\d", ["bob"]),
        ("%", ["bob"]),
        ("_", ["bob"]),
        ("'", []),
    ],
)
def test_a_part_of_an_address_or_name_is_taken_literally(text: str, found: list[str]) -> None:
    """No character of a search may be a wildcard, and case does not matter."""
    create_table()
    add_user("alice", "ada@example.com", "Ada Lovelace")
    add_user("bob", "a_b@example.com", "100% c\\d")

    assert user_ids_matching(text, 10) == found


def test_no_more_users_are_found_than_asked_for() -> None:
    """A part that everybody's address has must not bring everybody."""
    create_table()
    for number in range(5):
        add_user(f"user{number}", f"user{number}@example.com")

    assert len(user_ids_matching("example", 3)) == 3


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.django_db(transaction=True)
def test_a_table_that_vanishes_meanwhile_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch, in_transaction: bool
) -> None:
    """Between the look at the columns and the statement the table may go."""
    columns: list[dict[str, bool]] = [{"id": True, "email": True, "emailVerified": True}, {}]
    monkeypatch.setattr(better_auth_users, "_columns", lambda: columns.pop(0))

    if in_transaction:
        with transaction.atomic():
            assert owners(["alice"]) == {}
            assert not Task.objects.exists()
    else:
        assert owners(["alice"]) == {}


def test_a_fault_of_our_own_is_not_hidden() -> None:
    """A statement that fails although the table is there must be heard of."""
    create_table()

    with pytest.raises(DatabaseError), transaction.atomic():
        better_auth_users._read('SELECT nothing FROM "user"')  # noqa: SLF001


@pytest.fixture
def _role(db: None) -> Any:
    """Be a role of PostgreSQL that owns nothing."""
    create_table()
    execute("INSERT INTO \"user\" (id, email, name) VALUES ('alice', 'ada@example.com', 'Ada')")
    execute("CREATE ROLE stranger")
    yield
    execute("RESET ROLE")


@pytest.mark.postgresql
@pytest.mark.usefixtures("_role")
def test_a_table_that_may_not_be_read_is_not_there() -> None:
    """Without the permission nothing may break."""
    execute("SET ROLE stranger")

    assert (table_exists(), owners(["alice"]), user_ids_matching("ada", 10)) == (False, {}, [])


@pytest.mark.postgresql
@pytest.mark.usefixtures("_role")
@pytest.mark.parametrize(("column", "name"), [("", ""), (", name", "Ada")])
def test_the_permission_for_the_columns_that_are_read_is_enough(column: str, name: str) -> None:
    """No other column is read, so that none other need be granted."""
    execute(f'GRANT SELECT (id, email{column}) ON "user" TO stranger')
    execute("SET ROLE stranger")

    assert owners(["alice"]) == {"alice": Owner("ada@example.com", name)}


@pytest.mark.postgresql
@pytest.mark.usefixtures("_role")
def test_the_search_path_decides_which_table_it_is() -> None:
    """The table of the first schema in the search path counts, as it does for Better Auth."""
    execute("CREATE SCHEMA old")
    execute('CREATE TABLE old."user" (id text, email text)')
    execute("SET LOCAL search_path = old, public")

    assert not table_exists()
    assert owners(["alice"]) == {}
