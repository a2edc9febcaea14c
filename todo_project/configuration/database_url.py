"""From a URL to Django's ``DATABASES`` entry."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from psycopg.pq import Conninfo

# How long a connection is kept, in seconds. A reused one is looked at before it is used.
CONNECTION_MAX_AGE_SECONDS = 600
CONNECT_TIMEOUT_SECONDS = 4
# How often an idle connection is heard from, in seconds. Gateways forget it after some minutes, and
# without a word: the next statement would wait for its deadline.
KEEPALIVE_SECONDS = 60
# How long a writer waits for the others, in seconds. SQLite has one writer at a time.
SQLITE_BUSY_TIMEOUT_SECONDS = 20

# What SQLAlchemy's asyncpg dialect takes in a URL and libpq does not know. The first two have a
# counterpart in libpq; the others tune asyncpg itself.
ASYNCPG_SSL = "ssl"
ASYNCPG_TIMEOUT = "timeout"
ASYNCPG_ONLY = frozenset(
    {
        "async_fallback",
        "command_timeout",
        "direct_tls",
        "json_deserializer",
        "json_serializer",
        "max_cacheable_statement_size",
        "max_cached_statement_lifetime",
        "prepared_statement_cache_size",
        "prepared_statement_name_func",
        "server_settings",
        "statement_cache_size",
    }
)
SSL_MODES = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
LIBPQ_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
LIBPQ_OPTIONS = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def database_settings(variable: str, url: str, base_dir: Path) -> dict[str, Any]:
    """Read a database's URL.

    Args:
        variable: the name of the environment variable, for the messages.
        url: ``postgresql://…``, also in SQLAlchemy's form ``postgresql+asyncpg://…``, or
            ``sqlite:///path``.
        base_dir: where a relative path of an SQLite file starts.

    Returns:
        An entry of Django's ``DATABASES``.

    Raises:
        ImproperlyConfigured: the URL is malformed. The message names the variable and never shows
            the URL, which has a password in it.

    Source: FR-006, FR-020.
    """
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower().partition("+")[0]
    if not separator or scheme not in ("postgresql", "postgres", "sqlite"):
        raise _malformed(variable, "it must begin with postgresql:// or sqlite:///")
    if scheme == "sqlite":
        return _sqlite(variable, rest, base_dir)
    return _postgresql(variable, f"{scheme}://{rest}")


def _sqlite(variable: str, rest: str, base_dir: Path) -> dict[str, Any]:
    name = unquote(rest.partition("?")[0].removeprefix("/"))
    if not name or rest[:1] != "/":
        raise _malformed(variable, "an SQLite database is written sqlite:///path")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name if name == ":memory:" else base_dir / name,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
            # A transaction that takes the write lock only at its first write may find that it
            # cannot have it any more, and no timeout helps then.
            "transaction_mode": "IMMEDIATE",
            # Readers and the writer do not wait for each other. FULL: what was acknowledged
            # survives a power cut as well.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }


def _postgresql(variable: str, url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        if parts.fragment:
            raise ValueError("a # in it")
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        options = _libpq_options(variable, dict(query))
        if _is_neon(options.get("host") or parts.hostname):
            options.setdefault("sslmode", "require")
        options.setdefault("connect_timeout", str(CONNECT_TIMEOUT_SECONDS))
        options.setdefault("keepalives_idle", str(KEEPALIVE_SECONDS))
        database: dict[str, Any] = dict(
            dj_database_url.parse(parts._replace(query=urlencode(options)).geturl())
        )
    except (ValueError, OverflowError):
        raise _malformed(
            variable,
            "it must have the form postgresql://user:password@host:port/database, its parts"
            " percent-encoded (a # as %23, an @ in the password as %40)",
        ) from None
    if not (database["HOST"] or options.get("host")) or not database["NAME"]:
        raise _malformed(variable, "it names no host or no database")
    return {
        **database,
        "ENGINE": "todo_project.postgresql",
        "OPTIONS": options,
        "CONN_MAX_AGE": CONNECTION_MAX_AGE_SECONDS,
        # A pooler in transaction mode gives the next statement to another connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def _libpq_options(variable: str, query: dict[str, str]) -> dict[str, str]:
    """Translate asyncpg's options, drop what only asyncpg knows, keep what libpq knows."""
    options: dict[str, str] = {}
    for name, value in query.items():
        if name == ASYNCPG_SSL:
            options.setdefault("sslmode", SSL_MODES.get(value.lower(), value))
        elif name == ASYNCPG_TIMEOUT:
            # libpq takes whole seconds, and 0 for no limit at all
            options.setdefault("connect_timeout", str(max(1, int(float(value)))))
        elif name in LIBPQ_OPTIONS:
            options[name] = value
        elif name not in ASYNCPG_ONLY:
            # Dropped without a word, a misspelt sslmode would leave a connection open to all.
            raise _malformed(variable, f"PostgreSQL knows no option {name!a}")
    # libpq looks at these when it connects: each request would fail, and none say why.
    if options.get("sslmode", "require") not in LIBPQ_SSL_MODES:
        raise _malformed(variable, f"its sslmode (or ssl) is none of {', '.join(LIBPQ_SSL_MODES)}")
    if not re.fullmatch(r"-?[0-9]{1,9}", options.get("connect_timeout", "0"), re.ASCII):
        raise _malformed(variable, "its connect_timeout is no number of seconds")
    return options


def _is_neon(host: str | None) -> bool:
    return (host or "").lower().endswith(".neon.tech")


def _malformed(variable: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{variable} is not a database URL: {why}.")
