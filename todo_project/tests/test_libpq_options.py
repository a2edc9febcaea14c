"""The options of a PostgreSQL URL, checked by libpq itself (FR-020)."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg import pq

from todo_project.configuration import libpq_options
from todo_project.configuration.database_url import database_settings

VALUE = "x7Qp2mVz9Lk4"
NEON = "ep-cool-name-123456.eu-central-1.aws.neon.tech"


def read(query: str, host: str = "db.example.com") -> dict[str, Any]:
    """Parse a URL with this query."""
    url = f"postgresql://todo:a-password@{host}/todo?{query}"
    return database_settings("NEON_DATABASE_URL", url, Path("/srv/todo"))


def refusal(query: str, host: str = "db.example.com") -> str:
    """Return the message with which a query is refused, or an empty string."""
    try:
        read(query, host)
    except ImproperlyConfigured as error:
        return str(error)
    return ""


REFUSED = {
    **{
        f"{name}={value}": f"{name} must be "
        for name in libpq_options.CHOICES.keys() - {"sslrootcert"}
        for value in ("", VALUE)
        if not (value == "" and name in ("require_auth", "service", "sslcertmode"))
        and not (value == "" and name.endswith("protocol_version"))
        and not (value == "" and name == "sslnegotiation")
    },
    **{
        f"{name}={value}": f"{name} must be "
        for name in libpq_options.NUMBERS
        for value in ("", VALUE, "1x", "9999999999", "99999999999", "1.5")
    },
    "sslmode=no-verify": "no-verify is require",
    "sslmode=Require": "sslmode must be ",
    "keepalives_idle=0": "from 1 to 32767",
    "keepalives_idle=40000": "from 1 to 32767",
    "keepalives_count=128": "from 1 to 127",
    "sslnegotiation=direct": "sslnegotiation must be ",
    "sslrootcert=system&sslmode=require": "system needs sslmode=verify-full",
    "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2": (
        "contradict each other: ssl_max_protocol_version, ssl_min_protocol_version"
    ),
    f"scram_client_key={VALUE}": "scram_client_key has a value",
    f"hostaddr={VALUE}": "an IP address",
    "hostaddr=192.0.2.1,192.0.2.2": "one address for each host",
    "client_encoding=LATIN1": "client_encoding must be UTF8",
    "port=1,2": "one port",
    "channel_binding=require&sslmode=disable": "channel_binding=require cannot work",
    "sslcertmode=require&ssl=false": "sslcertmode=require cannot work",
    **{
        f"options={value}": "options must be switches of the server"
        for value in (
            *("search_path%3Dtodo", "foo", "-x", "-c%20foo", "-c", "--foo", "-c%20a%3Db%20c"),
            *(VALUE, '-c%20"a"%3Db', "-c%20a%20%3D%20b", "endpoint"),
        )
    },
    "pgbouncer=true": "pgbouncer is an option of Prisma",
    "pgbouncer=true&connection_limit=1": "is an option of Prisma",
    "schema=public": "schema is an option of Prisma",
    "currentSchema=public": "is an option of JDBC",
    "replication=database": "replication is for",
    "sslmod=require": "'sslmod' is not an option of libpq; sslmode is",
    "unheard=of": "'unheard' is not an option of libpq.",
    f"{VALUE}=1": "an option that is not one of libpq",
    "password=a&secretword=1": "an option that is not one of libpq",
}
ACCEPTED = [
    "sslmode=require&channel_binding=require",
    "sslmode=require&sslnegotiation=direct",
    "sslmode=verify-full&sslrootcert=system",
    "sslrootcert=system",
    "ssl=true",
    "target_session_attrs=read-write",
    "gssencmode=disable",
    "load_balance_hosts=random",
    "require_auth=scram-sha-256,md5",
    "require_auth=!password",
    "ssl_min_protocol_version=TLSv1.3",
    "max_protocol_version=3.2",
    "connect_timeout=0",
    "connect_timeout=-1",
    "keepalives=0",
    "keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=30000",
    "hostaddr=192.0.2.1",
    "hostaddr=2001:db8::1",
    "client_encoding=utf8",
    "port=5433",
    "application_name=todo%20service",
    "application_name=someone@todo",
    "options=-c%20search_path%3Dtodo",
    "options=-c+search_path=todo",
    "options=endpoint%3Dep-cool-name",
    "options=project%3Dep-cool-name%20-c%20search_path%3Dtodo",
    "options=reference%3Dabcd",
    "options=neon_lsn:0/2000",
    "options=%20-c%20a.b%3D%20--work-mem%3D4MB%20-cc%3D1%20",
    "options=-c%20search_path%3Da,%5C%20b%5C%5C",
    'options=-c%20search_path%3D"$user",public',
    "options=-e%20-F%20-S%204MB%20-d5",
    "options=",
    "channel_binding=prefer&sslmode=disable",
    "sslcertmode=allow&sslmode=disable",
]


def test_a_value_that_libpq_refuses_is_refused_at_the_start() -> None:
    """Otherwise every request would get a 503; the message must name the option only."""
    found = {query: refusal(query) for query in REFUSED}

    assert [query for query, part in REFUSED.items() if part not in found[query]] == []
    assert [query for query in found if VALUE in found[query] or "secretword" in found[query]] == []


def test_a_value_that_libpq_accepts_is_accepted() -> None:
    """No option that works may be refused."""
    assert {query: refusal(query) for query in ACCEPTED} == dict.fromkeys(ACCEPTED, "")


def test_every_choice_is_accepted() -> None:
    """The values that a message names must be those of this libpq."""
    choices = {
        name: libpq_options.CHOICES[name].removeprefix("one of ").partition(" (")[0].split(", ")
        for name in ("sslmode", "target_session_attrs", "channel_binding", "sslcertmode")
    }
    choices["load_balance_hosts"] = libpq_options.CHOICES["load_balance_hosts"].split(" or ")

    assert [
        (name, value)
        for name, values in choices.items()
        for value in values
        if refusal(f"{name}={value}")
    ] == []


def test_several_hosts_have_an_address_and_a_port_each() -> None:
    """Lists of hosts, addresses and ports must have the same length."""
    expected = {
        "hostaddr=192.0.2.1,192.0.2.2": "",
        "hostaddr=192.0.2.1,": "",
        "hostaddr=192.0.2.1": "one address for each host",
        "port=5432,5433": "",
        "port=5432": "",
        "port=1,2,3": "one port",
    }
    found = {query: refusal(query, "h1,h2") for query in expected}

    assert [query for query, part in expected.items() if part not in found[query]] == []
    assert [query for query, part in expected.items() if not part and found[query]] == []


def test_an_environment_variable_of_libpq_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message must begin with the variable; an option of the URL takes precedence."""
    monkeypatch.setenv("PGAPPNAME", "todo")
    monkeypatch.setenv("PGSSLMODE", VALUE)

    assert refusal("application_name=todo").startswith("PGSSLMODE must be one of disable, ")
    assert refusal("sslmode=require") == ""
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert "cannot work with sslmode=disable" in refusal("channel_binding=require")
    monkeypatch.setenv("PGSSLMODE", VALUE)
    monkeypatch.setenv("PGTARGETSESSIONATTRS", VALUE)
    several = "PGAPPNAME, PGSSLMODE, PGTARGETSESSIONATTRS must be values that libpq accepts."
    assert refusal("") == several


def test_checking_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may not be up yet, and a name server may be slow."""
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    start = Mock(wraps=pq.PGconn.connect_start)
    monkeypatch.setattr(libpq_options, "PGconn", Mock(connect_start=start))

    assert refusal("hostaddr=192.0.2.2&passfile=/missing") == ""
    assert [
        b"host=/dev/null" in call.args[0] and b"hostaddr=''" in call.args[0]
        for call in start.call_args_list
    ] == [True]


def test_certificates_are_never_checked_less_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """``sslmode=require`` must not be set where the URL or the environment asks for more."""
    found = read("sslrootcert=system", NEON)["OPTIONS"]
    assert ("sslmode" in found, found["sslrootcert"]) == (False, "system")
    assert read("sslrootcert=/ca.pem", NEON)["OPTIONS"]["sslmode"] == "require"

    for variable, value in {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "system"}.items():
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            assert "sslmode" not in read("", NEON)["OPTIONS"], variable


def test_verify_full_uses_the_certificates_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a file of its own, libpq would refuse every connection."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert read("sslmode=verify-full")["OPTIONS"]["sslrootcert"] == "system"
    assert read("sslmode=verify-full&sslrootcert=/ca")["OPTIONS"]["sslrootcert"] == "/ca"

    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert "sslrootcert" not in read("sslmode=verify-full")["OPTIONS"]
