"""Looks up the addresses of the database's hosts within the deadline of a request."""

import socket
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import psycopg

from todo_project.deadlines import remaining_seconds
from todo_project.postgresql.connection import DeadlineError

# The look-ups that have not ended, by host; requests share them.
_lookups: dict[str, Future[list[str]]] = {}
_lock = threading.Lock()


def with_addresses(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Add ``hostaddr``, so that psycopg looks up no name itself, which has no time limit.

    Args:
        parameters: the parameters of a connection; ``host`` and ``port`` may be lists.

    Raises:
        psycopg.OperationalError: a host is unknown, or the name server does not answer in time.
    """
    if remaining_seconds() is None or parameters.get("hostaddr"):
        return dict(parameters)
    hosts = str(parameters.get("host") or "").split(",")
    ports = str(parameters.get("port") or "").split(",")
    each = [
        (host, address, port)
        for host, port in zip(hosts, ports * (len(hosts) if len(ports) == 1 else 1), strict=False)
        for address in _addresses(host)
    ]
    lists = zip(("host", "hostaddr", "port"), zip(*each, strict=True), strict=True)
    return {**parameters, **{name: ",".join(values) for name, values in lists}}


def _addresses(host: str) -> list[str]:
    if not host or host.startswith("/"):  # a Unix socket
        return [""]
    try:
        return _lookup(host).result(remaining_seconds())
    except TimeoutError:
        raise DeadlineError("the name server does not answer") from None
    except OSError as error:
        raise psycopg.OperationalError(f"failed to resolve host {host!r}: {error}") from None


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
