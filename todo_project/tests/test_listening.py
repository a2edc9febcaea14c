"""The address that the server listens on, and what is said if it cannot."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from todo_project.server import listening
from todo_project.server.listening import check_address, check_server
from todo_project.tests.live_server import (
    LiveServer,
    await_health,
    deploying,
    free_port,
    run,
)
from todo_project.tests.settings_loader import PRODUCTION
from todo_project.tests.waiting import wait_until

LOOPBACK = "127.0.0.1"


def arbiter(port: int, **attributes: Any) -> SimpleNamespace:
    """Return gunicorn's arbiter at its start, listening on a port of the loopback interface."""
    cfg = SimpleNamespace(reuse_port=False)
    return SimpleNamespace(
        **{"master_pid": 0, "address": [(LOOPBACK, port)], "cfg": cfg, **attributes}
    )


@pytest.mark.parametrize("host", [LOOPBACK, "localhost"])
def test_a_free_port_is_no_error(host: str) -> None:
    """A check must leave nothing behind that is in the way of the server."""
    port = free_port()

    check_address(host, port)
    check_address(host, port)
    socket.create_server((LOOPBACK, port)).close()


def test_a_port_in_use_is_one_line() -> None:
    """The message must name another port."""
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ImproperlyConfigured) as refused:
            check_address(LOOPBACK, port)

    assert str(refused.value) == f"PORT {port} is in use by another program; try PORT={port + 1}."


def test_a_port_that_becomes_free_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of a server that was killed may hold its port for a moment."""
    other = socket.create_server((LOOPBACK, 0))
    port = other.getsockname()[1]
    monkeypatch.setattr("time.sleep", lambda seconds: other.close())

    check_address(LOOPBACK, port, wait_seconds=60)

    assert other.fileno() == -1


@pytest.mark.parametrize(
    ("error", "port", "message"),
    [
        (errno.EADDRINUSE, 65_535, "PORT 65535 is in use by another program; try PORT=8000."),
        (errno.EACCES, 80, "PORT 80 needs privileges that this process lacks; try PORT=8000."),
        (errno.EADDRNOTAVAIL, 8000, "HOST must be an address of this machine, such as 0.0.0.0, "),
        (errno.EAFNOSUPPORT, 8000, "HOST must be an address of this machine, such as 0.0.0.0, "),
    ],
)
def test_an_address_that_cannot_be_bound_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: int, port: int, message: str
) -> None:
    """The message must name the variable to change."""
    monkeypatch.setattr("socket.socket", Mock(side_effect=OSError(error, "")))

    with pytest.raises(ImproperlyConfigured) as refused:
        check_address("::", port)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("host", "end"),
    [("192.0.2.1", "localhost."), ("no-such.invalid", "; the name that it has does not resolve.")],
)
def test_another_machines_address_is_refused(host: str, end: str) -> None:
    """An address for documentation (RFC 5737) and a name that does not exist (RFC 6761)."""
    with pytest.raises(ImproperlyConfigured) as refused:
        check_address(host, free_port())

    message = str(refused.value)
    assert message.startswith("HOST must be an address of this machine, such as 0.0.0.0, ")
    assert message.endswith(end)


def test_a_server_checks_the_address_that_it_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that it inherits, or an address of the command line, must not be checked."""
    monkeypatch.setattr(listening, "WAIT_SECONDS", 0)
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ImproperlyConfigured, match="is in use"):
            check_server(arbiter(port), LOOPBACK, port)

        check_server(arbiter(port, master_pid=1), LOOPBACK, port)
        check_server(arbiter(port, address=["/run/a.sock"]), LOOPBACK, port)
        check_server(arbiter(port, cfg=SimpleNamespace(reuse_port=True)), LOOPBACK, port)
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        check_server(arbiter(port), LOOPBACK, port)


@pytest.mark.live
def test_gunicorn_says_in_one_line_that_the_port_is_in_use(project: Path) -> None:
    """Checking the configuration must succeed: a reload does so while the server has the port."""
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        variables = {**PRODUCTION, "HOST": LOOPBACK, "PORT": str(port), "LOG_LEVEL": "WARNING"}
        started = run(project, "-m", "gunicorn", "todo_project.wsgi", **variables)
        checked = run(project, "-m", "gunicorn", "--check-config", "todo_project.wsgi", **variables)

    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr == f"PORT {port} is in use by another program; try PORT={port + 1}.\n"
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
def start(template: str, tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Return a function that starts gunicorn with a shell command, on a port of the loopback."""
    started: list[LiveServer] = []

    def start(command: str, port: int, pass_fds: Sequence[int] = ()) -> LiveServer:
        log_file = tmp_path / "log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                ["/bin/bash", "-c", command],
                cwd=deployed.project,
                env={"PATH": str(Path(sys.executable).parent), "HOST": LOOPBACK, "PORT": str(port)},
                pass_fds=pass_fds,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that killpg() reaches a server that replaces it
            )
        started.append(LiveServer(port, process, log_file))
        await_health(started[0])
        return started[0]

    with deploying(tmp_path, template) as deployed:
        yield start
        for server in started:
            with suppress(ProcessLookupError):  # nothing is left
                os.killpg(server.process.pid, signal.SIGKILL)


@pytest.mark.live
def test_a_server_that_replaces_another_inherits_its_port(
    start: Callable[..., LiveServer],
) -> None:
    """An upgrade (SIGUSR2) must not find the port in use."""
    live = start("exec gunicorn todo_project.wsgi", free_port())

    live.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: live.log.count("Listening at") == 2, log=lambda: live.log)
    stopped = live.stop()
    with live.client() as client:
        status = client.get("/health").status_code

    assert (stopped, status) == (0, 200)


@pytest.mark.live
def test_a_server_that_systemd_starts_inherits_its_port(start: Callable[..., LiveServer]) -> None:
    """``PORT`` is not bound then, and may be in use."""
    with socket.create_server((LOOPBACK, 0)) as inherited:
        number, port = inherited.fileno(), inherited.getsockname()[1]
        command = "LISTEN_FDS=1 LISTEN_PID=$$ exec gunicorn todo_project.wsgi"
        live = start(f"{command} 3<&{number}", port, [number])

    assert live.stop() == 0, live.log
