"""The address that the server listens on."""

import errno
import ipaddress
import os
import re
import socket
import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.environment import Environment
from todo_project.configuration.hosts import NO_NAME

LABEL = r"\w([\w-]{0,61}\w)?"
HOST_NAME = re.compile(rf"(?!{NO_NAME}\Z){LABEL}(\.{LABEL})*", re.ASCII | re.I)
DEFAULT_PORT = 8000
MAX_PORT = 65_535
# As long as gunicorn tries: the workers of a server that was killed may still hold the port.
WAIT_SECONDS = 5
PAUSE_SECONDS = 0.2


def listen_address(env: Environment) -> tuple[str, int]:
    """Read ``HOST``, without the brackets of an IPv6 address, and ``PORT``.

    Raises:
        ImproperlyConfigured: one of them is not what it must be.
    """
    given = env.str("HOST", "0.0.0.0")  # noqa: S104 - the default of a container
    host = given[1:-1] if given[0] + given[-1] == "[]" else given
    if not _is_address(host):
        raise ImproperlyConfigured(
            "HOST must be an IP address or a host name without scheme and port, such as 0.0.0.0, ::"
            " or localhost."
        )
    return host, env.number("PORT", DEFAULT_PORT, 1, MAX_PORT)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        is_name = HOST_NAME.fullmatch(host) is not None
        return is_name and not host.rpartition(".")[2].isdecimal()
    return "%" not in host  # gunicorn does not know zones, as in fe80::1%eth0


def check_server(server: Any, host: str, port: int) -> None:
    """Check an address at the start of gunicorn, unless it is not gunicorn that binds it.

    A server that replaces another (SIGUSR2), or that systemd starts, inherits its sockets. The
    command line may name another address.

    Args:
        server: gunicorn's arbiter.
        host: the first value of ``listen_address()``.
        port: the second.

    Raises:
        ImproperlyConfigured: the server cannot listen there.
    """
    is_inherited = server.master_pid or os.environ.get("LISTEN_PID") == str(os.getpid())
    is_ours = server.address == [(host.lower(), port)]
    if is_ours and not is_inherited and not server.cfg.reuse_port:
        check_address(host, port, wait_seconds=WAIT_SECONDS)


def check_address(host: str, port: int, *, wait_seconds: float = 0) -> None:
    """Check that a server can listen on an address.

    Args:
        host: an IP address or a name.
        port: the port.
        wait_seconds: how long to wait for a port that is in use.

    Raises:
        ImproperlyConfigured: the port is in use or privileged, or the host is unknown or another
            machine's.
    """
    end = time.monotonic() + wait_seconds
    while (error := _failure(host, port)) and error.errno == errno.EADDRINUSE:
        if time.monotonic() >= end:
            other = port + 1 if port < MAX_PORT else DEFAULT_PORT
            raise ImproperlyConfigured(
                f"PORT {port} is in use by another program; try PORT={other}."
            )
        time.sleep(PAUSE_SECONDS)
    if error and error.errno in (errno.EACCES, errno.EPERM):
        raise ImproperlyConfigured(
            f"PORT {port} needs privileges that this process lacks; try PORT={DEFAULT_PORT}."
        )
    if error:
        is_unknown = isinstance(error, socket.gaierror)
        problem = "; the name that it has does not resolve" if is_unknown else ""
        raise ImproperlyConfigured(
            f"HOST must be an address of this machine, such as 0.0.0.0, :: or localhost{problem}."
        )


def _failure(host: str, port: int) -> OSError | None:
    """Bind the address as gunicorn does, and return the error."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            wire.bind((host, port))
    except OSError as error:
        return error
    return None
