"""Connects to one of the database's hosts within the deadline of a request."""

import socket
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

import psycopg

from todo_project.deadlines import remaining_seconds
from todo_project.postgresql.connection import DeadlineConnection, DeadlineError

# With these values of target_session_attrs, only one of the hosts is right.
ONE_HOST = ("read-write", "primary")
# The position of the host to try first, by the list of hosts
_first: dict[tuple[tuple[str, str], ...], int] = {}
# The look-ups that have not ended, by host; requests share them.
_lookups: dict[str, Future[list[str]]] = {}
_lock = threading.Lock()


def connect(parameters: Mapping[str, Any]) -> DeadlineConnection:
    """Connect to one of the hosts, within ``connect_timeout`` seconds for each of its addresses.

    If only one host can be the right one, the hosts are tried in turn, beginning with that of the
    last connection, or after a host that has become silent: each attempt to reach it would take
    ``connect_timeout`` seconds.

    Args:
        parameters: the parameters of a connection; ``host`` and ``port`` may be lists.

    Raises:
        psycopg.OperationalError: no host can be reached, or the deadline has passed.
    """
    hosts = _hosts_and_ports(parameters)
    is_given = parameters.get("hostaddr") or len(hosts) == 1
    if is_given or parameters.get("target_session_attrs") not in ONE_HOST:
        return DeadlineConnection.connect(**with_addresses(parameters))
    failures = []
    first = _first.get(hosts, 0)
    for number in range(first, first + len(hosts)):
        position = number % len(hosts)
        host, port = hosts[position]
        try:
            one = with_addresses({**parameters, "host": host, "port": port})
            connection = DeadlineConnection.connect(**one)
        except psycopg.OperationalError as error:
            failures.append(f"{host}:{port} {error}")
            if remaining_seconds() == 0.0:
                # Only the first host has had enough time.
                _first[hosts] = max(number, first + 1) % len(hosts)
                raise
        else:
            _first[hosts] = position
            connection.on_silence = partial(_avoid, hosts, position)
            return connection
    raise psycopg.OperationalError("; ".join(failures))


def _avoid(hosts: tuple[tuple[str, str], ...], position: int) -> None:
    _first[hosts] = (position + 1) % len(hosts)


def with_addresses(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Add ``hostaddr``, so that psycopg looks up no name itself, which has no time limit.

    A host that is unknown is left out, as a server that is down may have no name.

    Args:
        parameters: the parameters of a connection; ``host`` and ``port`` may be lists.

    Raises:
        psycopg.OperationalError: no host is known, or the name server does not answer in time.
    """
    if remaining_seconds() is None or parameters.get("hostaddr"):
        return dict(parameters)
    each, unknown = [], []
    for host, port in _hosts_and_ports(parameters):
        try:
            each += [(host, address, port) for address in _addresses(host)]
        except (OSError, UnicodeError) as error:  # the latter: not a host name
            unknown.append(f"failed to resolve host {host!r}: {error}")
    if not each:
        raise psycopg.OperationalError("; ".join(unknown))
    lists = zip(("host", "hostaddr", "port"), zip(*each, strict=True), strict=True)
    return {**parameters, **{name: ",".join(values) for name, values in lists}}


def _hosts_and_ports(parameters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    hosts = str(parameters.get("host") or "").split(",")
    ports = str(parameters.get("port") or "").split(",")
    return tuple(zip(hosts, ports * (len(hosts) if len(ports) == 1 else 1), strict=False))


def _addresses(host: str) -> list[str]:
    if not host or host.startswith("/"):  # a Unix socket
        return [""]
    try:
        return _lookup(host).result(remaining_seconds())
    except TimeoutError:
        raise DeadlineError("the name server does not answer") from None


def _lookup(host: str) -> Future[list[str]]:
    """Start a look-up in the background, or join the one that has been started."""
    with _lock:
        if host not in _lookups:
            future: Future[list[str]] = Future()
            threading.Thread(target=_look_up, args=(host, future), daemon=True).start()
            _lookups[host] = future
        return _lookups[host]


def _look_up(host: str, future: Future[list[str]]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except Exception as error:  # noqa: BLE001 - raised in the threads that wait
        future.set_exception(error)
    else:
        future.set_result([str(address[0]) for *_, address in found])
    with _lock:
        del _lookups[host]
