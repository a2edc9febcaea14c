"""The look-up of the database's hosts, and their order."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest

from todo_project.deadlines import database_deadline, remaining_seconds
from todo_project.postgresql import addresses
from todo_project.postgresql.addresses import connect, with_addresses
from todo_project.postgresql.connection import DeadlineConnection, DeadlineError
from todo_project.tests.database_connections import StoppedClock

NAME = "db.example.com"
FOUND = [(socket.AF_INET, 1, 6, "", ("192.0.2.1", 0)), (socket.AF_INET6, 1, 6, "", ("::1", 0))]
Answer = Callable[[Any], None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Answer look-ups with two addresses, after ``going_on`` is set; collect the names."""
    names: list[str] = []

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        names.append(host)
        assert going_on.wait(60)
        if host == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return FOUND

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    going_on.set()
    yield names
    going_on.set()


going_on = threading.Event()


def test_each_address_of_each_host_is_tried(asked: list[str]) -> None:
    """Hosts and ports must stay together, and Unix sockets need no address."""
    found = {}
    for hosts, ports in [
        (NAME, ""),
        (f"{NAME},/run", "1,2"),
        ("a,b", "5433"),
        ("", ""),
        ("/run", "1"),
    ]:
        with database_deadline(60):
            full = with_addresses({"host": hosts, "port": ports, "user": "todo"})
        assert full.pop("user") == "todo"
        found[hosts, ports] = tuple(full[name] for name in ("host", "hostaddr", "port"))

    assert found == {
        (NAME, ""): (f"{NAME},{NAME}", "192.0.2.1,::1", ","),
        (f"{NAME},/run", "1,2"): (f"{NAME},{NAME},/run", "192.0.2.1,::1,", "1,1,2"),
        ("a,b", "5433"): ("a,a,b,b", "192.0.2.1,::1,192.0.2.1,::1", "5433,5433,5433,5433"),
        ("", ""): ("", "", ""),
        ("/run", "1"): ("/run", "", "1"),
    }


def test_nothing_is_looked_up_without_need(asked: list[str]) -> None:
    """A command has no deadline, and the operator may name the addresses."""
    command = with_addresses({"host": NAME})
    with database_deadline(60):
        named = with_addresses({"host": NAME, "hostaddr": "192.0.2.7"})

    assert (command, named) == ({"host": NAME}, {"host": NAME, "hostaddr": "192.0.2.7"})
    assert asked == []


def test_a_silent_name_server_is_waited_for_until_the_deadline(asked: list[str]) -> None:
    """Requests must share the look-up that does not end, and try again after it."""
    going_on.clear()
    started = time.monotonic()
    for _ in range(3):
        with database_deadline(0.1), pytest.raises(DeadlineError, match="name server"):
            with_addresses({"host": NAME})
    waited = time.monotonic() - started
    going_on.set()
    with database_deadline(60):
        full = with_addresses({"host": NAME})

    assert (0.3 <= waited < 6.0, full["hostaddr"]) == (True, "192.0.2.1,::1")
    assert asked in ([NAME], [NAME, NAME])  # the last may still have met the first


def test_an_unknown_host_is_left_out(asked: list[str]) -> None:
    """The name of a server that is down may be gone, and the others must be tried."""
    with database_deadline(60):
        full = with_addresses({"host": f"unknown,{NAME}", "port": "1,2"})

    assert (full["host"], full["port"]) == (f"{NAME},{NAME}", "2,2")


def test_an_unknown_host_is_an_outage(asked: list[str]) -> None:
    """A name may be unknown for a moment, while its server is replaced."""
    for _ in range(2):
        with database_deadline(60), pytest.raises(psycopg.OperationalError, match="'unknown'"):
            with_addresses({"host": "unknown"})

    assert {*asked} == {"unknown"}  # the second may still have met the first


class Servers:
    """Fake servers: those that work, and those that answer only after the deadline."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = StoppedClock(monkeypatch)
        self.working: set[str] = set()
        self.silent: set[str] = set()
        self._tried: list[str] = []
        monkeypatch.setattr(DeadlineConnection, "connect", self._connect)
        monkeypatch.setattr(addresses, "_first", {})
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: FOUND[:1])

    def _connect(self, **parameters: Any) -> Mock:
        name = f"{parameters['host']}:{parameters['port']}"
        self._tried.append(name)
        if name in self.silent:
            self.clock.now += 2.0
            if remaining_seconds() == 0.0:
                raise DeadlineError("no time is left to connect")
        if name in self.working:
            return Mock()
        raise psycopg.OperationalError("connection refused")

    def tried(self, seconds: float = 4.5, **parameters: Any) -> str:
        """Connect within a deadline, and return the servers that were tried, in their order."""
        self._tried = []
        everything = {"target_session_attrs": "read-write", **HOSTS, **parameters}
        with database_deadline(seconds):
            self.connection = connect(everything)
        return " ".join(self._tried)

    def tried_in_vain(self, seconds: float = 4.5) -> str:
        """Like ``tried()``, without a connection."""
        with pytest.raises(psycopg.OperationalError):
            pytest.fail(self.tried(seconds))
        return " ".join(self._tried)


HOSTS = {"host": "a,b,c", "port": "1,2,3"}


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    """Replace the database's servers."""
    return Servers(monkeypatch)


def test_the_host_of_the_last_connection_is_tried_first(servers: Servers) -> None:
    """A host that is down must cost its time once, not for each connection."""
    servers.working = {"b:2"}
    found = [servers.tried(), servers.tried()]
    servers.working = {"a:1"}
    found += [servers.tried(), servers.tried(target_session_attrs="primary")]

    assert found == ["a:1 b:2", "b:2", "b:2 c:3 a:1", "a:1"]


def test_a_silent_host_does_not_prevent_the_next_attempt(servers: Servers) -> None:
    """A readiness check has two seconds: it must begin with another host the next time."""
    servers.silent, servers.working = {"a:1", "b:2"}, {"c:3"}

    assert [servers.tried_in_vain(2), servers.tried_in_vain(2), servers.tried(2)] == [
        "a:1",
        "b:2",
        "c:3",
    ]


def test_a_host_that_was_tried_too_late_is_tried_first(servers: Servers) -> None:
    """A host must not be skipped because the ones before it have used up the time."""
    servers.silent, servers.working = {"a:1", "b:2"}, {"b:2", "c:3"}

    assert (servers.tried_in_vain(3), servers.tried()) == ("a:1 b:2", "b:2")


def test_a_host_that_has_become_silent_is_tried_last(servers: Servers) -> None:
    """The requests after it must not wait for it again."""
    servers.working = {"a:1", "b:2"}
    first = servers.tried()
    lost = servers.connection
    for _ in range(2):
        lost.on_silence()

    assert (first, servers.tried()) == ("a:1", "b:2")


def test_no_host_can_be_reached(servers: Servers) -> None:
    """The error must name each host and its port, for the log."""
    with pytest.raises(psycopg.OperationalError, match=r"a:1 .*refused; b:2 .*; c:3"):
        servers.tried()


def test_libpqs_order_applies_unless_one_host_is_right(servers: Servers) -> None:
    """The operator's order or addresses must be kept."""
    servers.working = {"a,b,c:1,2,3"}

    assert servers.tried(target_session_attrs="any") == "a,b,c:1,2,3"
    assert servers.tried(hostaddr="192.0.2.1,192.0.2.2,192.0.2.3") == "a,b,c:1,2,3"
