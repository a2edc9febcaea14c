"""Checks the options of a PostgreSQL URL as libpq does when it connects.

Otherwise the service would start, and every request would get a 503 without an explanation.

Source: PostgreSQL's documentation, "Parameter Key Words".
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Mapping
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo, PGconn

from todo_project.configuration.url_mistakes import MistakeError

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
# Options of other programs, which belong to no URL of libpq, and what to do instead
OTHER_PROGRAMS = {
    "pgbouncer": "is an option of Prisma; remove it: the service works behind a pooler as it is",
    "connection_limit": "is an option of Prisma; remove it: WEB_CONCURRENCY sets the connections",
    "pool_timeout": "is an option of Prisma; remove it",
    "schema": "is an option of Prisma; remove it, or set the role's search_path in the database",
    "sslaccept": "is an option of Prisma; use sslmode",
    "supa": "is an option of Supabase's integration with Vercel; remove it",
    "currentschema": "is an option of JDBC; remove it, or set the role's search_path in the"
    " database",
    "uselibpqcompat": "is an option of node-postgres; remove it",
    "serverversion": "is an option of Doctrine; remove it",
    "charset": "is not an option of libpq; remove it: the service always uses UTF-8",
    "pool_size": "is an option of SQLAlchemy; remove it",
    "max_overflow": "is an option of SQLAlchemy; remove it",
    "conn_max_age": "is a setting of Django; remove it",
    "replication": "is for programs that copy a server; remove it",
}
CHOICES = {
    "sslmode": "one of disable, allow, prefer, require, verify-ca, verify-full (node-postgres's"
    " no-verify is require)",
    "target_session_attrs": "one of any, read-write, read-only, primary, standby, prefer-standby",
    "gssencmode": "disable, or with a libpq that supports GSSAPI also prefer or require",
    "channel_binding": "one of disable, prefer, require",
    "sslnegotiation": "postgres, or with sslmode=require or stricter also direct",
    "load_balance_hosts": "disable or random",
    "require_auth": "a list of the methods none, password, md5, gss, sspi, scram-sha-256, each"
    " with or all without a leading !",
    "ssl_min_protocol_version": "one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
    "ssl_max_protocol_version": "one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
    "min_protocol_version": "one of 3.0, 3.2, latest",
    "max_protocol_version": "one of 3.0, 3.2, latest",
    "sslcertmode": "one of disable, allow, require",
    "sslrootcert": "the path of a file; system needs sslmode=verify-full",
    "service": "the name of a section of libpq's service file",
}
# The lowest and the highest value. The system refuses other values when libpq connects by TCP.
NUMBERS = {
    "connect_timeout": (-(10**9), 10**9),
    "keepalives": (0, 1),
    "keepalives_idle": (1, 32_767),
    "keepalives_interval": (1, 32_767),
    "keepalives_count": (1, 127),
    "tcp_user_timeout": (0, 2**31 - 1),
}
# What cannot be required without TLS
TLS_ONLY = ("channel_binding", "sslcertmode")
# Switches of the server, of which an option's value may have several: -c name=value, --name=value,
# and those of a letter; or the parameters of Neon's and Supabase's poolers. A backslash escapes the
# next character (PostgreSQL's documentation, "postgres").
VALUE = r"(?:\\.|[^\s\\])"
SERVER_SWITCHES = re.compile(
    rf"\s*(?:(?:(?:-c\s*|--)[\w.-]+={VALUE}*|-[EeFijlnOPsTb]+|-[BdfhkNprStvWCD]\s*{VALUE}+"
    rf"|(?:endpoint|project|reference)={VALUE}+|neon_\w+:{VALUE}+)(?:\s+|\Z))*",
    re.ASCII,
)
NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)
UTF8_NAMES = ("", "utf8", "utf-8", "unicode")
LIBPQ_OPTIONS = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
# Its socket cannot exist, so libpq checks everything and fails before it connects.
NOWHERE = "/dev/null"
OPTION_NAME = re.compile(r"[A-Za-z_]{1,40}", re.ASCII)


def libpq_options(query: Mapping[str, str]) -> dict[str, str]:
    """Translate asyncpg's options, drop those without an equivalent, and refuse unknown ones.

    Raises:
        MistakeError: an option is unknown. If unknown options were dropped, a misspelt sslmode
            would silently make TLS optional.
        ValueError, OverflowError: asyncpg's timeout is not a number.
    """
    options: dict[str, str] = {}
    for name, value in query.items():
        if name == ASYNCPG_SSL:
            options.setdefault("sslmode", SSL_MODES.get(value.lower(), value))
        elif name == ASYNCPG_TIMEOUT:
            # libpq takes whole seconds; 0 would mean no limit
            options.setdefault("connect_timeout", str(max(1, int(float(value)))))
        elif name.lower() in OTHER_PROGRAMS:
            raise MistakeError(f"{name.lower()} {OTHER_PROGRAMS[name.lower()]}")
        elif name in LIBPQ_OPTIONS:
            options[name] = value
        elif name not in ASYNCPG_ONLY:
            raise MistakeError(_unknown(name, query))
    return options


def _unknown(name: str, query: Mapping[str, str]) -> str:
    # A name may be the rest of a password that contained a ? or an &.
    is_shown = OPTION_NAME.fullmatch(name) and not {"password", "sslpassword"} & query.keys()
    close = difflib.get_close_matches(name.lower(), LIBPQ_OPTIONS, n=1, cutoff=0.8)
    shown = f"{name!r} is not an option" if is_shown else "it has an option that is not one"
    return f"{shown} of libpq{f'; {close[0]} is' if close else ''}"


def refuse_bad_options(options: Mapping[str, str], hosts: int) -> None:
    """Refuse the values that libpq would refuse when it connects.

    Args:
        options: ``hosts`` and ``port`` may be lists.
        hosts: the number of hosts.

    Raises:
        MistakeError: a value is not accepted. The message names the option.
        ImproperlyConfigured: libpq refuses a variable of its own, such as ``PGSSLMODE``.
    """
    if not all(_is_port(port) for port in options.get("port", "").split(",") if port):
        raise MistakeError("a port must be a number from 1 to 65535")
    if options.get("port", "").count(",") not in (0, hosts - 1):
        raise MistakeError("it must have one port, or one for each host")
    addresses = options.get("hostaddr", "").split(",")
    if len(addresses) != max(hosts, 1) and options.get("hostaddr"):
        raise MistakeError("hostaddr must have one address for each host")
    if not all(is_address(address) for address in addresses if address):
        raise MistakeError("hostaddr must be an IP address")
    for name, (lowest, highest) in NUMBERS.items():
        value = options.get(name, str(highest))
        if not NUMBER.fullmatch(value) or not lowest <= int(value) <= highest:
            raise MistakeError(f"{name} must be {_range(lowest, highest)}")
    if options.get("client_encoding", "").lower() not in UTF8_NAMES:
        raise MistakeError("client_encoding must be UTF8, or not be set")
    if not SERVER_SWITCHES.fullmatch(options.get("options", "")):
        raise MistakeError(
            "options must be switches of the server, percent-encoded, such as"
            " options=-c%20search_path%3Dtodo for -c search_path=todo"
        )
    _ask_libpq(options)
    needs_tls = [name for name in TLS_ONLY if _effective(options, name) == "require"]
    if needs_tls and _effective(options, "sslmode") == "disable":
        raise MistakeError(f"{needs_tls[0]}=require cannot work with sslmode=disable")


def _effective(options: Mapping[str, str], name: str) -> str:
    """Return the value of an option, or else that of libpq's variable for it."""
    return options.get(name) or os.environ.get(f"PG{name.replace('_', '').upper()}", "")


def _range(lowest: int, highest: int) -> str:
    return f"a whole number from {lowest} to {highest}" if lowest >= 0 else "a number of seconds"


def _ask_libpq(options: Mapping[str, str]) -> None:
    if _is_accepted(options):
        return
    if not _is_accepted({}):
        _refuse_variables()
    tls = {name: options[name] for name in ("sslmode",) if name in options}
    for name in ("sslmode", *options):
        if name in options and not _is_accepted({**tls, name: options[name]}):
            accepted = CHOICES.get(name)
            why = f"must be {accepted}" if accepted else "has a value that libpq refuses"
            raise MistakeError(f"{name} {why}")
    several = ", ".join(sorted(options.keys() & CHOICES.keys()))
    raise MistakeError(f"its options contradict each other: {several}")


def _refuse_variables() -> NoReturn:
    """Name the variable without which libpq would accept its environment, or else all of them."""
    given = {
        option.envvar.decode(): (option.keyword.decode(), (option.compiled or b"").decode())
        for option in Conninfo.get_defaults()
        if option.envvar and option.envvar.decode() in os.environ
    }
    for variable, (name, default) in given.items():
        if _is_accepted({name: default}):
            accepted = CHOICES.get(name, "a value that libpq accepts")
            raise ImproperlyConfigured(f"{variable} must be {accepted}.")
    raise ImproperlyConfigured(f"{', '.join(given)} must be values that libpq accepts.")


def _is_accepted(options: Mapping[str, str]) -> bool:
    """Return whether libpq gets as far as to look for the socket."""
    # Without the user and the password, libpq would look up their defaults.
    given = dict.fromkeys(("user", "password", "dbname"), "x")
    if "port" in options:
        given["port"] = "5432"  # one port for the one host
    parameters = {**options, "host": NOWHERE, "hostaddr": "", **given}
    connection = PGconn.connect_start(make_conninfo("", **parameters).encode())
    try:
        return f"{NOWHERE}/.s.PGSQL.".encode() in connection.error_message
    finally:
        connection.finish()


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 65_536


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
