"""Turns a database URL into an entry of Django's ``DATABASES``."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.certificates import (
    SYSTEM,
    has_default_root,
    refuse_unusable_files,
)
from todo_project.configuration.libpq_options import (
    is_address,
    libpq_options,
    refuse_bad_options,
)
from todo_project.configuration.sqlite_url import refuse_unusable_file, sqlite_settings
from todo_project.configuration.url_mistakes import (
    MistakeError,
    refuse_other_texts,
    refuse_placeholders,
    refuse_unencoded_characters,
)

# Seconds before a connection is replaced
CONNECTION_MAX_AGE_SECONDS = 600
CONNECT_TIMEOUT_SECONDS = 4
# With several hosts: libpq's minimum, so that a silent one leaves time to try the next
CONNECT_TIMEOUT_SECONDS_PER_HOST = 2
# Seconds between TCP keepalives. Some gateways silently drop a connection that is idle for minutes;
# the next statement would hang until its deadline.
KEEPALIVE_SECONDS = 60

AUTHORITY = re.compile(r"(?P<scheme>[a-z]+://)(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@]*)")
HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+)(?::(?P<port>[0-9]*))?")
# A name, no label of which begins with a hyphen, or an IPv4 address, or the folder of a Unix socket
HOST = re.compile(r"\w[\w-]*(\.\w[\w-]*)*\.?|/.*")
# What can only be an IPv4 address
NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3,}")


def database_settings(
    variable: str, url: str, base_dir: Path, *, is_prepared: bool = False
) -> dict[str, Any]:
    """Parse a database URL, and refuse what libpq would refuse when it connects.

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
    text = url.strip()
    try:
        refuse_other_texts(text)
        scheme, _, rest = text.partition("://")
        scheme = scheme.lower().partition("+")[0]
        if scheme == "sqlite":
            return sqlite_settings(rest, base_dir)
        return _postgresql(f"{scheme}://{rest}", is_prepared=is_prepared)
    except MistakeError as mistake:
        raise ImproperlyConfigured(f"{variable} is not a database URL: {mistake}.") from None
    except (ValueError, OverflowError):
        raise ImproperlyConfigured(
            f"{variable} is not a database URL: it must have the form"
            " postgresql://user:password@host:port/database, with special"
            " characters percent-encoded (# as %23, @ in the password as %40)."
        ) from None


def refuse_unusable_paths(variable: str, database: dict[str, Any]) -> None:
    """Refuse a database whose files are missing: SQLite's, or those of TLS.

    Args:
        variable: the environment variable, for the error message.
        database: an entry of Django's ``DATABASES``.

    Raises:
        ImproperlyConfigured: a file is missing, unreadable, or readable for too many.
    """
    try:
        if database["ENGINE"] == "todo_project.sqlite":
            refuse_unusable_file(database["NAME"])
        else:
            refuse_unusable_files(database["OPTIONS"])
    except MistakeError as mistake:
        raise ImproperlyConfigured(f"{variable} cannot be used: {mistake}.") from None


def _postgresql(url: str, *, is_prepared: bool) -> dict[str, Any]:
    refuse_placeholders(url)
    refuse_unencoded_characters(url)
    url, hosts = _without_several_hosts(url)
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    options = libpq_options(hosts | dict(query))
    database = _database(parts, options)
    names = (options.get("host") or database["HOST"]).lower().split(",")
    _refuse_bad_names(database, options, names)
    are_neon = [name for name in names if name.endswith(".neon.tech")]
    _set_defaults(options, is_neon=bool(are_neon), has_several_hosts=len(names) > 1)
    ports = {} if parts.port is None else {"port": str(parts.port)}
    refuse_bad_options(ports | options, len(names))
    if are_neon and options.get("sslmode") == "disable":
        raise MistakeError("sslmode=disable cannot work: Neon accepts only connections with TLS")
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


def _database(parts: SplitResult, options: dict[str, str]) -> dict[str, Any]:
    """Return the entry; take the user, the password and the name out of the options."""
    names = {"user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    in_query = {key: options.pop(name) for name, key in names.items() if name in options}
    url = parts._replace(query=urlencode(options)).geturl()
    return {**dj_database_url.parse(url), **in_query}


def _refuse_bad_names(database: dict[str, Any], options: dict[str, str], names: list[str]) -> None:
    if not database["NAME"]:
        raise MistakeError("the name of the database is missing after the host, as in host/todo")
    if not (all(names) or options.get("hostaddr")):
        raise MistakeError("the host is missing, as in postgresql://user:password@host/database")
    if database["PASSWORD"] and not database["USER"]:
        raise MistakeError("the user is missing before the password")
    if not all(_is_host(name) for name in names if name):
        raise MistakeError("its host is not a host name, an IP address or the path of a folder")


def _is_host(name: str) -> bool:
    return is_address(name) or bool(HOST.fullmatch(name) and not NUMBERS.fullmatch(name))


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
    # The environment and the system's certificates may ask for more than sslmode=require.
    root = options.get("sslrootcert", os.environ.get("PGSSLROOTCERT"))
    if is_neon and root != SYSTEM and not os.environ.get("PGSSLMODE"):
        options.setdefault("sslmode", "require")
    if options.get("sslmode") == "verify-full" and not root and not has_default_root():
        # libpq would look for its own file, and refuse to connect without it.
        options["sslrootcert"] = SYSTEM
    if has_several_hosts:
        timeout = CONNECT_TIMEOUT_SECONDS_PER_HOST
        # libpq would accept a standby, where every write fails.
        options.setdefault("target_session_attrs", "read-write")
    options.setdefault("connect_timeout", str(timeout))
    options.setdefault("keepalives_idle", str(KEEPALIVE_SECONDS))
