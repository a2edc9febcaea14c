"""Turns a database URL into an entry of Django's ``DATABASES``."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from psycopg.pq import Conninfo

# Seconds before a connection is replaced
CONNECTION_MAX_AGE_SECONDS = 600
CONNECT_TIMEOUT_SECONDS = 4
# With several hosts: libpq's minimum, so that a silent one leaves time to try the next
CONNECT_TIMEOUT_SECONDS_PER_HOST = 2
# Seconds between TCP keepalives. Some gateways silently drop a connection that is idle for minutes;
# the next statement would hang until its deadline.
KEEPALIVE_SECONDS = 60
# Seconds that a writer waits for the lock; SQLite has one writer at a time
SQLITE_BUSY_TIMEOUT_SECONDS = 20

# Options of SQLAlchemy's asyncpg dialect. The first two are translated to libpq options; the others
# only tune asyncpg and are dropped.
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
SECONDS = re.compile(r"-?[0-9]{1,9}", re.ASCII)
LIBPQ_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
LIBPQ_SESSIONS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
AUTHORITY = re.compile(r"(?P<scheme>[a-z]+://)(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@]*)")
HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+)(?::(?P<port>[0-9]*))?")
LIBPQ_OPTIONS = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def database_settings(
    variable: str, url: str, base_dir: Path, *, is_prepared: bool = False
) -> dict[str, Any]:
    """Parse a database URL.

    Args:
        variable: the environment variable, for the error message.
        url: ``postgresql://…``, also with several hosts or in SQLAlchemy's form
            ``postgresql+asyncpg://…``, or ``sqlite:///path``.
        base_dir: the folder that a relative SQLite path is resolved against.
        is_prepared: whether PostgreSQL keeps the endpoints' statements prepared. Neon's pooler and
            SQLite ignore it.

    Returns:
        An entry of Django's ``DATABASES``.

    Raises:
        ImproperlyConfigured: the URL is malformed. The message names the variable and does not
            show the URL, which holds a password.

    Source: FR-006, FR-020; PostgreSQL's documentation, "Connection URIs".
    """
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower().partition("+")[0]
    if not separator or scheme not in ("postgresql", "postgres", "sqlite"):
        raise _malformed(variable, "it must start with postgresql:// or sqlite:///")
    if scheme == "sqlite":
        return _sqlite(variable, rest, base_dir)
    return _postgresql(variable, f"{scheme}://{rest}", is_prepared=is_prepared)


def _sqlite(variable: str, rest: str, base_dir: Path) -> dict[str, Any]:
    name = unquote(rest.partition("?")[0].removeprefix("/"))
    if not name or rest[:1] != "/":
        raise _malformed(variable, "the form for SQLite is sqlite:///path")
    return {
        "ENGINE": "todo_project.sqlite",
        "NAME": name if name == ":memory:" else base_dir / name,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
            # A transaction that takes the write lock only at its first write may fail at once
            # with "database is locked", regardless of the timeout.
            "transaction_mode": "IMMEDIATE",
            # A committed transaction survives a power failure.
            "init_command": "PRAGMA synchronous=FULL",
        },
    }


def _postgresql(variable: str, url: str, *, is_prepared: bool) -> dict[str, Any]:
    try:
        url, hosts = _without_several_hosts(url)
        parts = urlsplit(url)
        if parts.fragment:
            raise ValueError("URL has a fragment")
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        options = _libpq_options(variable, hosts | dict(query))
        names = (options.get("host") or parts.hostname or "").lower().split(",")
        are_neon = [name for name in names if name.endswith(".neon.tech")]
        _set_defaults(options, is_neon=bool(are_neon), has_several_hosts=len(names) > 1)
        database: dict[str, Any] = dict(
            dj_database_url.parse(parts._replace(query=urlencode(options)).geturl())
        )
    except (ValueError, OverflowError):
        raise _malformed(
            variable,
            "it must have the form postgresql://user:password@host:port/database, with special"
            " characters percent-encoded (# as %23, @ in the password as %40)",
        ) from None
    if not all(names) or not database["NAME"]:
        raise _malformed(variable, "the host or the database name is missing")
    if options.get("port", "").count(",") not in (0, len(names) - 1):
        raise _malformed(variable, "it must have one port, or one for each host")
    if any("-pooler." in name for name in are_neon):
        is_prepared = False  # Neon's pooler assigns another session to each transaction
    return {
        **database,
        "ENGINE": "todo_project.postgresql",
        "OPTIONS": options | ({"prepare_threshold": 0} if is_prepared else {}),
        "CONN_MAX_AGE": CONNECTION_MAX_AGE_SECONDS,
        # Behind a pooler in transaction mode, FETCH may reach another server connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def _without_several_hosts(url: str) -> tuple[str, dict[str, str]]:
    """Take several hosts out of a URL, which ``urlsplit`` cannot read, and return them as options.

    Raises:
        ValueError: one of the hosts or ports is malformed.
    """
    authority = AUTHORITY.match(url)
    if authority is None or "," not in authority["hosts"]:
        return url, {}
    found = [HOST_AND_PORT.fullmatch(each) for each in authority["hosts"].split(",")]
    hosts = [unquote(each["host"]).strip("[]") for each in found if each]
    ports = [each["port"] or "" for each in found if each]
    if len(hosts) < len(found):
        raise ValueError("a host or a port is malformed")
    options = {"host": ",".join(hosts)} | ({"port": ",".join(ports)} if any(ports) else {})
    rest = url[authority.end() :]
    return f"{authority['scheme']}{authority['user'] or ''}{rest}", options


def _set_defaults(options: dict[str, str], *, is_neon: bool, has_several_hosts: bool) -> None:
    timeout = CONNECT_TIMEOUT_SECONDS
    if is_neon:
        options.setdefault("sslmode", "require")
    if has_several_hosts:
        timeout = CONNECT_TIMEOUT_SECONDS_PER_HOST
        # libpq would accept a standby, where every write fails.
        options.setdefault("target_session_attrs", "read-write")
    options.setdefault("connect_timeout", str(timeout))
    options.setdefault("keepalives_idle", str(KEEPALIVE_SECONDS))


def _libpq_options(variable: str, query: dict[str, str]) -> dict[str, str]:
    """Translate asyncpg's options, drop those without an equivalent, and reject unknown ones."""
    options: dict[str, str] = {}
    for name, value in query.items():
        if name == ASYNCPG_SSL:
            options.setdefault("sslmode", SSL_MODES.get(value.lower(), value))
        elif name == ASYNCPG_TIMEOUT:
            # libpq takes whole seconds; 0 would mean no limit
            options.setdefault("connect_timeout", str(max(1, int(float(value)))))
        elif name in LIBPQ_OPTIONS:
            options[name] = value
        elif name not in ASYNCPG_ONLY:
            # If unknown options were dropped, a misspelt sslmode would silently make TLS optional.
            raise _malformed(variable, f"{name!a} is not an option of libpq")
    # libpq checks these only when it connects: every request would fail without an explanation.
    if options.get("sslmode", "require") not in LIBPQ_SSL_MODES:
        raise _malformed(variable, f"sslmode (or ssl) must be one of {', '.join(LIBPQ_SSL_MODES)}")
    if options.get("target_session_attrs", "any") not in LIBPQ_SESSIONS:
        raise _malformed(
            variable, f"target_session_attrs must be one of {', '.join(LIBPQ_SESSIONS)}"
        )
    if not all(_is_port(port) for port in options.get("port", "").split(",") if port):
        raise _malformed(variable, "a port must be a number from 1 to 65535")
    if not SECONDS.fullmatch(options.get("connect_timeout", "0")):
        raise _malformed(variable, "connect_timeout must be a number of seconds")
    return options


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 65_536


def _malformed(variable: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{variable} is not a database URL: {why}.")
