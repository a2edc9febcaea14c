"""Database URLs (FR-006, FR-020)."""

from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.database_url import database_settings
from todo_project.deadlines import DATABASE_SECONDS

BASE = Path("/srv/todo")
HOST = "db.example.com"
NEON = "ep-cool-name-123456-pooler.eu-central-1.aws.neon.tech"
PASSWORD = "x7Qp2mVz9Lk4"
START = "NEON_DATABASE_URL is not a "
QUERIES = ["", "?channel_binding=require"]
OTHER_HOSTS = [HOST, "neon.tech.example.com", "notneon.tech", "127.0.0.1"]


def read(url: str) -> dict[str, Any]:
    """Parse a URL."""
    return database_settings("NEON_DATABASE_URL", url, BASE)


def options(query: str, host: str = HOST) -> dict[str, str]:
    """Return the options of a URL with this query."""
    found: dict[str, str] = read(f"postgresql://todo:{PASSWORD}@{host}/todo{query}")["OPTIONS"]
    return found


def test_every_postgresql_scheme_is_accepted() -> None:
    """SQLAlchemy's schemes, one of which the plan uses, must be accepted."""
    schemes = ["postgresql", "postgres", "POSTGRESQL", "postgresql+asyncpg", "postgresql+psycopg"]
    schemes += ["postgresql+psycopg2", "postgres+asyncpg"]
    expected = {
        "ENGINE": "todo_project.postgresql",
        "USER": "todo",
        "PASSWORD": PASSWORD,
        "HOST": HOST,
        "PORT": 5433,
        "NAME": "tasks",
    }
    found = {scheme: read(f"{scheme}://todo:{PASSWORD}@{HOST}:5433/tasks") for scheme in schemes}

    assert [scheme for scheme in schemes if not expected.items() <= found[scheme].items()] == []


def test_names_and_a_password_are_decoded_once() -> None:
    """Percent-encoding must be decoded once (RFC 3986 §2.1), and outer whitespace ignored."""
    expected = {
        f"postgresql://todo:p%40ss%3Aw%2Frd@{HOST}/todo": ("todo", "p@ss:w/rd", "todo"),
        f"postgresql://todo:p%23%3F%25@{HOST}/todo": ("todo", "p#?%", "todo"),
        f"postgresql://todo:p%20a+b@{HOST}/todo": ("todo", "p a+b", "todo"),
        f"postgresql://todo:p%C3%A9@{HOST}/todo": ("todo", "pé", "todo"),
        f"postgresql://todo:p@ss@{HOST}/todo": ("todo", "p@ss", "todo"),
        f"postgresql://todo:@{HOST}/todo": ("todo", "", "todo"),
        f"postgresql://to%40do@{HOST}/my%20tasks": ("to@do", "", "my tasks"),
        f" postgresql://todo@{HOST}/todo ": ("todo", "", "todo"),
        f"\npostgresql://todo@{HOST}/todo\n": ("todo", "", "todo"),
        f"\tpostgresql://todo@{HOST}/todo\t": ("todo", "", "todo"),
    }
    found = {url: read(url) for url in expected}

    assert {url: (d["USER"], d["PASSWORD"], d["NAME"]) for url, d in found.items()} == expected


def test_asyncpgs_ssl_becomes_sslmode() -> None:
    """``ssl`` must not be lost, and ``sslmode`` must take precedence over it."""
    expected = {
        **dict.fromkeys(("?ssl=require", "?ssl=true", "?ssl=True", "?ssl=1"), "require"),
        "?ssl=false": "disable",
        "?ssl=0": "disable",
        "?ssl=prefer": "prefer",
        "?ssl=verify-full": "verify-full",
        "?sslmode=verify-full&ssl=require": "verify-full",
        "?ssl=require&sslmode=verify-full": "verify-full",
    }
    found = {query: options(query) for query in expected}

    assert {query: each["sslmode"] for query, each in found.items()} == expected
    assert [query for query, each in found.items() if "ssl" in each] == []


def test_a_libpq_option_is_passed_on() -> None:
    """An option of libpq must keep its value."""
    expected = {
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.pem",
        "channel_binding": "require",
        "connect_timeout": "9",
        "application_name": "todo",
        "target_session_attrs": "read-write",
        "options": "endpoint=ep-cool",
        "keepalives_idle": "30",
    }

    assert options(f"?{urlencode(expected)}").items() >= expected.items()


def test_an_asyncpg_only_option_is_dropped() -> None:
    """The plan's URL must work unchanged."""
    queries = ["prepared_statement_cache_size=0", "statement_cache_size=0", "command_timeout=5"]
    queries += ["server_settings=x", "prepared_statement_name_func=x", "async_fallback=true"]

    assert {query: options(f"?{query}") for query in queries} == {
        query: options("") for query in queries
    }


def test_connecting_has_a_timeout() -> None:
    """An unreachable database must cause a 503 in time (docs/contract.md, "Errors")."""
    expected = {"?timeout=7": "7", "?timeout=7.9": "7"}

    assert {query: options(query)["connect_timeout"] for query in expected} == expected
    assert 0 < int(options("")["connect_timeout"]) < 5


def test_neon_requires_tls() -> None:
    """``*.neon.tech`` must imply ``sslmode=require``, unless the URL sets a mode."""
    expected: dict[tuple[str, str], str | None] = {
        **dict.fromkeys(product([NEON, NEON.upper(), "x.neon.tech"], QUERIES), "require"),
        (NEON, "?sslmode=verify-full"): "verify-full",
        (NEON, "?ssl=verify-full"): "verify-full",
        **dict.fromkeys(product(OTHER_HOSTS, [""]), None),
    }
    in_query = read(f"postgresql://todo@/todo?host={NEON}")["OPTIONS"]["sslmode"]

    assert {row: options(row[1], row[0]).get("sslmode") for row in expected} == expected
    assert in_query == "require"


def test_a_unix_socket_is_named_by_its_folder() -> None:
    """``?host=`` may name the folder of a Unix socket."""
    database = read("postgresql://todo:@/todo?host=%2Fvar%2Frun%2Fpostgresql")

    assert (database["HOST"], database["NAME"]) == ("", "todo")
    assert database["OPTIONS"]["host"] == "/var/run/postgresql"


def test_several_hosts_are_read_as_by_libpq() -> None:
    """Each host must keep its port (PostgreSQL's documentation, "Connection URIs")."""
    expected = {
        "u:p@h1:5432,h2:5433/db": ("h1,h2", "5432,5433"),
        "u:p@h1,h2,h3/db": ("h1,h2,h3", None),
        "u:p@h1,h2:5433/db": ("h1,h2", ",5433"),
        "u:p@h1:,h2:/db": ("h1,h2", None),
        "u:p@[::1]:5432,[2001:db8::2],192.0.2.1:1/db": ("::1,2001:db8::2,192.0.2.1", "5432,,1"),
        "u:p@%2FRun%2Fpg:1,h2:2/db": ("/Run/pg,h2", "1,2"),
        "u:p@/db?host=h1,h2&port=5432,5433": ("h1,h2", "5432,5433"),
        "u:p@/db?host=h1,h2&port=5433": ("h1,h2", "5433"),
        "u:p@h3,h4/db?host=h1,h2": ("h1,h2", None),
    }
    found = {url: read(f"postgresql+asyncpg://{url}") for url in expected}

    assert {
        url: (each["OPTIONS"]["host"], each["OPTIONS"].get("port")) for url, each in found.items()
    } == expected
    assert {
        tuple(each[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME"))
        for each in found.values()
    } == {("u", "p", "", "", "db")}
    assert read("postgresql://u:p,%40@w@h1,h2/db?sslmode=prefer")["PASSWORD"] == "p,@@w"


def test_several_hosts_are_tried_for_one_that_can_write() -> None:
    """After a failover, a request must reach the other host within its deadline."""
    both = f"{HOST},other.{HOST}"
    mine = options("?connect_timeout=3&target_session_attrs=any", both)

    assert options("", both)["target_session_attrs"] == "read-write"
    assert 2 * int(options("", both)["connect_timeout"]) < DATABASE_SECONDS
    assert (mine["connect_timeout"], mine["target_session_attrs"]) == ("3", "any")
    assert "target_session_attrs" not in options("")


def test_neons_rules_apply_to_each_of_several_hosts() -> None:
    """TLS must be required if any host is Neon's, and statements not be prepared if one pools."""
    direct = NEON.replace("-pooler", "")
    expected = {
        f"{HOST},{NEON}": ("require", False),
        f"{NEON.upper()}:5432,{HOST}": ("require", False),
        f"{direct},{HOST}": ("require", True),
        f"a-pooler.{HOST},{direct}": ("require", True),
        f"{HOST},a-pooler.{HOST}": (None, True),
    }
    found = {
        hosts: database_settings("X", f"postgresql://{hosts}/todo", BASE, is_prepared=True)
        for hosts in expected
    }

    assert {
        hosts: (each["OPTIONS"].get("sslmode"), "prepare_threshold" in each["OPTIONS"])
        for hosts, each in found.items()
    } == expected


def test_statements_are_prepared_only_without_neons_pooler() -> None:
    """``DATABASE_PREPARED`` must have no effect where a session changes with each transaction."""
    direct = NEON.replace("-pooler", "")
    expected = {
        f"postgresql://todo@{direct}/todo": True,
        f"postgresql://todo@a-pooler.{HOST}/todo": True,
        f"postgresql://todo@{NEON}/todo": False,
        f"postgresql://todo@{NEON.upper()}/todo": False,
        f"postgresql://todo@/todo?host={NEON}": False,
        "sqlite:///db.sqlite3": False,
    }
    found = {url: database_settings("X", url, BASE, is_prepared=True) for url in expected}

    assert {url: "prepare_threshold" in each["OPTIONS"] for url, each in found.items()} == expected
    assert "prepare_threshold" not in options("")


def test_postgresql_is_set_up_for_a_pooler() -> None:
    """Server-side cursors must be off, and connections must be reused."""
    database = read(f"postgresql://todo@{HOST}/todo")

    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert database["CONN_MAX_AGE"] > 0


def test_an_sqlite_path_may_be_relative_or_absolute() -> None:
    """Three slashes start a relative path, four an absolute one, as in SQLAlchemy."""
    expected = {
        "sqlite:///db.sqlite3": BASE / "db.sqlite3",
        "sqlite:///data/db.sqlite3": BASE / "data" / "db.sqlite3",
        "sqlite:////var/lib/db.sqlite3": Path("/var/lib/db.sqlite3"),
        "sqlite:///my%20tasks.sqlite3": BASE / "my tasks.sqlite3",
        "sqlite:///db.sqlite3?mode=rwc": BASE / "db.sqlite3",
        "sqlite+aiosqlite:///db.sqlite3": BASE / "db.sqlite3",
        "SQLite:///db.sqlite3": BASE / "db.sqlite3",
        "sqlite:///:memory:": ":memory:",
    }
    found = {url: read(url) for url in expected}

    assert {url: each["NAME"] for url, each in found.items()} == expected
    assert {each["ENGINE"] for each in found.values()} == {"todo_project.sqlite"}


def test_sqlite_is_set_up_for_concurrent_writers() -> None:
    """50 concurrent writers must get no error (SC-007)."""
    found = read("sqlite:///db.sqlite3")["OPTIONS"]

    assert found["transaction_mode"] == "IMMEDIATE"
    assert found["timeout"] >= 5
    assert "synchronous=FULL" in found["init_command"]


def test_a_malformed_url_is_refused_without_showing_it() -> None:
    """The message must name the variable and contain no part of the password (FR-017)."""
    server = f"postgresql://todo:{PASSWORD}@{HOST}"
    urls = [
        *(PASSWORD, f"todo:{PASSWORD}@{HOST}/todo", f"mysql://todo:{PASSWORD}@{HOST}/todo"),
        *(f"https://todo:{PASSWORD}@{HOST}/todo", f"postgresql:todo:{PASSWORD}@{HOST}/todo"),
        f"postgresql://todo:{PASSWORD}#1@{HOST}/todo",
        f"postgresql://todo:{PASSWORD}/1@{HOST}/todo",
        *(f"postgresql://todo:{PASSWORD}@[::1/todo", f"postgresql://todo:{PASSWORD}@/todo"),
        *(f"{server}:port/todo", f"{server}:99999/todo", server, f"{server}/"),
        *(f"{server}/todo?sslmod=require", f"{server}/todo?sslmode", f"{server}/todo?sslmode="),
        *(f"{server}/todo?sslmode=requier", f"{server}/todo?connect_timeout={PASSWORD}"),
        *(f"{server},/todo", f"{server},,h/todo", f"{server},h:port/todo", f"{server},h:0/todo"),
        *(f"{server},h:99999/todo", f"{server},::1/todo", f"{server},[::1/todo"),
        *(f"{server},h /todo", f"{server},h", f"{server},h/", f"{server},h/todo?host=h,"),
        *(f"{server},h/todo?port=1,2,3", f"{server}/todo?port=1,2", f"{server}/todo?port=%C2%B2"),
        *(f"{server}/todo?port={PASSWORD}", f"postgresql://todo:{PASSWORD}#@h,h/todo"),
        *(f"{server},h/todo?target_session_attrs=primry", f"{server},h/todo?sslmode=requier"),
        *(f"{server}/todo?timeout=soon", f"{server}/todo?timeout=inf"),
        f"postgresql+asyncpg://todo:{PASSWORD}@{HOST}/todo?ssl={PASSWORD}",
        *(f"sqlite://{PASSWORD}", "sqlite:///", "sqlite://", "://"),
    ]
    refusals = {}
    for url in urls:
        with pytest.raises(ImproperlyConfigured) as refusal:
            pytest.fail(f"{url} was accepted: {read(url)}")
        refusals[url] = str(refusal.value)

    assert [url for url in urls if not refusals[url].startswith(START)] == []
    assert [url for url in urls if PASSWORD in refusals[url]] == []
