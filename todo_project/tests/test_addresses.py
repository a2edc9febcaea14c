"""The look-up of the database's hosts."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from todo_project.deadlines import database_deadline
from todo_project.postgresql.addresses import with_addresses
from todo_project.postgresql.connection import DeadlineError

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


def test_an_unknown_host_is_an_outage(asked: list[str]) -> None:
    """A name may be unknown for a moment, while its server is replaced."""
    for _ in range(2):
        with database_deadline(60), pytest.raises(psycopg.OperationalError, match="'unknown'"):
            with_addresses({"host": "unknown"})

    assert {*asked} == {"unknown"}  # the second may still have met the first
