"""From a database's URL to Django's settings (FR-006, FR-020)."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.database_url import database_settings

BASE = Path("/srv/todo")
HOST = "db.example.com"
NEON = "ep-cool-name-123456-pooler.eu-central-1.aws.neon.tech"
PASSWORD = "x7Qp2mVz9Lk4"


def read(url: str) -> dict[str, Any]:
    """Read a URL."""
    return database_settings("NEON_DATABASE_URL", url, BASE)


def options(query: str, host: str = HOST) -> dict[str, str]:
    """Read the options of a URL with this query."""
    found: dict[str, str] = read(f"postgresql://todo:{PASSWORD}@{host}/todo{query}")["OPTIONS"]
    return found


@pytest.mark.parametrize(
    "scheme",
    [
        "postgresql",
        "postgres",
        "POSTGRESQL",
        "postgresql+asyncpg",
        "postgresql+psycopg",
        "postgresql+psycopg2",
        "postgres+asyncpg",
    ],
)
def test_every_form_of_the_scheme_is_postgresql(scheme: str) -> None:
    """The plan's SQLAlchemy form must be read, too."""
    database = read(f"{scheme}://todo:{PASSWORD}@{HOST}:5433/tasks")

    names = ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")
    assert [database[name] for name in names] == [
        "todo_project.postgresql",
        "todo",
        PASSWORD,
        HOST,
        5433,
        "tasks",
    ]


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("p%40ss%3Aw%2Frd", "p@ss:w/rd"),
        ("p%23%3F%25", "p#?%"),
        ("p%20a+b", "p a+b"),
        ("p%C3%A9", "pé"),
        ("p@ss", "p@ss"),
        ("", ""),
    ],
)
def test_a_password_is_decoded_once(written: str, password: str) -> None:
    """A password may hold any character, percent-encoded (RFC 3986 §2.1)."""
    assert read(f"postgresql://todo:{written}@{HOST}/todo")["PASSWORD"] == password


def test_a_user_and_a_database_are_decoded() -> None:
    """Names may hold any character, percent-encoded."""
    database = read(f"postgresql://to%40do@{HOST}/my%20tasks")

    assert (database["USER"], database["NAME"]) == ("to@do", "my tasks")


@pytest.mark.parametrize("space", [" ", "\n", "\t"])
def test_white_space_around_a_url_is_ignored(space: str) -> None:
    """A line break that was pasted along must not count."""
    assert read(f"{space}postgresql://todo@{HOST}/todo{space}")["NAME"] == "todo"


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("?ssl=require", "require"),
        ("?ssl=true", "require"),
        ("?ssl=True", "require"),
        ("?ssl=1", "require"),
        ("?ssl=false", "disable"),
        ("?ssl=0", "disable"),
        ("?ssl=prefer", "prefer"),
        ("?ssl=verify-full", "verify-full"),
        ("?sslmode=verify-full&ssl=require", "verify-full"),
        ("?ssl=require&sslmode=verify-full", "verify-full"),
    ],
)
def test_asyncpgs_ssl_becomes_sslmode(query: str, mode: str) -> None:
    """``ssl`` must not be lost, and ``sslmode`` wins over it."""
    assert options(query)["sslmode"] == mode
    assert "ssl" not in options(query)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sslmode", "verify-full"),
        ("sslrootcert", "/etc/ca.pem"),
        ("channel_binding", "require"),
        ("connect_timeout", "9"),
        ("application_name", "todo"),
        ("target_session_attrs", "read-write"),
        ("options", "endpoint=ep-cool"),
        ("keepalives_idle", "30"),
    ],
)
def test_what_libpq_knows_passes_through(name: str, value: str) -> None:
    """An option of PostgreSQL's own must arrive as it was written."""
    assert options(f"?{name}={value.replace('=', '%3D')}")[name] == value


@pytest.mark.parametrize(
    "query",
    [
        "prepared_statement_cache_size=0",
        "statement_cache_size=0",
        "command_timeout=5",
        "server_settings=x",
        "prepared_statement_name_func=x",
        "async_fallback=true",
    ],
)
def test_what_only_asyncpg_knows_is_dropped(query: str) -> None:
    """The plan's URL must work here unchanged."""
    assert options(f"?{query}") == options("")


@pytest.mark.parametrize(("value", "seconds"), [("7", "7"), ("7.9", "7")])
def test_asyncpgs_timeout_becomes_connect_timeout(value: str, seconds: str) -> None:
    """A limit on connecting must not be lost."""
    assert options(f"?timeout={value}")["connect_timeout"] == seconds


def test_connecting_is_limited_by_default() -> None:
    """An unreachable database must be a 503 in time (contract.md "Errors")."""
    assert 0 < int(options("")["connect_timeout"]) < 5


@pytest.mark.parametrize("host", [NEON, NEON.upper(), "x.neon.tech"])
@pytest.mark.parametrize("query", ["", "?channel_binding=require"])
def test_neon_requires_tls(host: str, query: str) -> None:
    """A ``*.neon.tech`` host without ``sslmode`` means ``require``."""
    assert options(query, host)["sslmode"] == "require"


def test_neon_in_the_query_requires_tls() -> None:
    """A host must count wherever it is written."""
    assert read(f"postgresql://todo@/todo?host={NEON}")["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize("query", ["?sslmode=verify-full", "?ssl=verify-full"])
def test_neon_with_an_sslmode_keeps_it(query: str) -> None:
    """What the URL says must win over the default."""
    assert options(query, NEON)["sslmode"] == "verify-full"


@pytest.mark.parametrize("host", [HOST, "neon.tech.example.com", "notneon.tech", "127.0.0.1"])
def test_no_other_host_requires_tls_by_itself(host: str) -> None:
    """A server on the same machine must work without TLS."""
    assert "sslmode" not in options("", host)


def test_a_socket_is_reached_by_its_folder() -> None:
    """``?host=`` names the folder of a socket."""
    database = read("postgresql://todo:@/todo?host=%2Fvar%2Frun%2Fpostgresql")

    assert (database["HOST"], database["NAME"]) == ("", "todo")
    assert database["OPTIONS"]["host"] == "/var/run/postgresql"


def test_postgresql_is_set_up_for_a_pooler() -> None:
    """Behind PgBouncer's transaction mode nothing may be kept on the server."""
    database = read(f"postgresql://todo@{HOST}/todo")

    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert database["CONN_MAX_AGE"] > 0


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", BASE / "db.sqlite3"),
        ("sqlite:///data/db.sqlite3", BASE / "data" / "db.sqlite3"),
        ("sqlite:////var/lib/db.sqlite3", Path("/var/lib/db.sqlite3")),
        ("sqlite:///my%20tasks.sqlite3", BASE / "my tasks.sqlite3"),
        ("sqlite:///db.sqlite3?mode=rwc", BASE / "db.sqlite3"),
        ("sqlite+aiosqlite:///db.sqlite3", BASE / "db.sqlite3"),
        ("SQLite:///db.sqlite3", BASE / "db.sqlite3"),
        ("sqlite:///:memory:", ":memory:"),
    ],
)
def test_sqlite_is_a_file_in_the_projects_folder_or_anywhere(url: str, name: Path | str) -> None:
    """Three slashes are relative, four absolute (SQLAlchemy's form)."""
    database = read(url)

    assert (database["ENGINE"], database["NAME"]) == ("django.db.backends.sqlite3", name)


def test_sqlite_is_set_up_for_many_writers() -> None:
    """50 writers at once must get no error (issue "The API, end to end", databases)."""
    found = read("sqlite:///db.sqlite3")["OPTIONS"]

    assert found["transaction_mode"] == "IMMEDIATE"
    assert found["timeout"] >= 5
    assert "journal_mode=WAL" in found["init_command"]


@pytest.mark.parametrize(
    "url",
    [
        PASSWORD,
        f"todo:{PASSWORD}@{HOST}/todo",
        f"mysql://todo:{PASSWORD}@{HOST}/todo",
        f"https://todo:{PASSWORD}@{HOST}/todo",
        f"postgresql:todo:{PASSWORD}@{HOST}/todo",
        f"postgresql://todo:{PASSWORD}#1@{HOST}/todo",
        f"postgresql://todo:{PASSWORD}/1@{HOST}/todo",
        f"postgresql://todo:{PASSWORD}@{HOST}:port/todo",
        f"postgresql://todo:{PASSWORD}@{HOST}:99999/todo",
        f"postgresql://todo:{PASSWORD}@[::1/todo",
        f"postgresql://todo:{PASSWORD}@{HOST}",
        f"postgresql://todo:{PASSWORD}@{HOST}/",
        f"postgresql://todo:{PASSWORD}@/todo",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?sslmod=require",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?sslmode",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?sslmode=requier",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?sslmode=",
        f"postgresql+asyncpg://todo:{PASSWORD}@{HOST}/todo?ssl={PASSWORD}",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?connect_timeout={PASSWORD}",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?timeout=soon",
        f"postgresql://todo:{PASSWORD}@{HOST}/todo?timeout=inf",
        f"sqlite://{PASSWORD}",
        "sqlite:///",
        "sqlite://",
        "://",
    ],
)
def test_a_malformed_url_is_refused_without_showing_it(url: str) -> None:
    """The message must name the variable and hold no part of the password (FR-017)."""
    with pytest.raises(ImproperlyConfigured, match=r"^NEON_DATABASE_URL is not a ") as refusal:
        read(url)

    assert PASSWORD not in str(refusal.value)
