"""Reloading with SIGHUP, with valid and invalid settings."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any
from unittest.mock import Mock

import pytest

from conftest import SECRET
from faults.observing import workers
from todo_project.server.reloads import guard_reloads
from todo_project.tests.live_server import deploying
from todo_project.tests.waiting import wait_until


class Server:
    """A server whose reloads are guarded, and whose main thread is the test's."""

    def __init__(self) -> None:
        self.log = Mock()
        self.reload: Any = Mock()
        self.original = self.reload
        self.signals: SimpleQueue[int] = SimpleQueue()
        guard_reloads(self, without="METRICS_FOLDER")

    def handle_signal(self) -> None:
        """Wait for a SIGHUP, and reload."""
        assert self.signals.get(timeout=60) == signal.SIGHUP
        self.reload()

    def refusal(self) -> str:
        """Wait for a refusal in the log."""
        wait_until(lambda: self.log.error.called)
        [call] = self.log.error.call_args_list
        self.log.error.reset_mock()
        return str(call[0][1])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a server."""
    monkeypatch.setattr(sys, "argv", ["gunicorn", "todo_project.wsgi"])
    monkeypatch.setenv("METRICS_FOLDER", "x")
    server = Server()
    monkeypatch.setattr(
        "todo_project.server.reloads.os.kill", lambda pid, number: server.signals.put(number)
    )
    return server


def test_only_what_loads_is_reloaded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log must have the reason, without a traceback."""
    server.reload()
    server.handle_signal()
    assert server.original.call_count == 1
    monkeypatch.setenv("THROTTLE_RATE", "often")
    server.reload()
    reason = server.refusal()

    assert server.original.call_count == 1
    assert reason.startswith("THROTTLE_RATE must be a number of requests")
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (OSError("no memory"), "the check failed (OSError)"),
        (subprocess.TimeoutExpired("gunicorn", 1), "the check failed (TimeoutExpired)"),
        ([subprocess.CompletedProcess([], 0, "1\n", "")], "unknown"),
        ([subprocess.CompletedProcess([], 0, "", "no Python")], "no Python"),
    ],
)
def test_a_check_that_fails_keeps_the_workers(
    server: Server, monkeypatch: pytest.MonkeyPatch, outcome: Any, reason: str
) -> None:
    """Nothing may be reloaded that is not known to work."""
    run = Mock(side_effect=outcome)
    monkeypatch.setattr("todo_project.server.reloads.subprocess.run", run)
    server.reload()

    assert server.refusal() == reason
    assert "METRICS_FOLDER" not in run.call_args[1]["env"]
    assert not server.original.called


def test_signals_during_a_check_are_one_more_check(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main thread must go on meanwhile, and the last state of the files must be reloaded."""
    going_on, checks = Event(), []

    def run(*args: Any, **kwargs: Any) -> Any:
        checks.append(args)
        assert going_on.wait(60)
        return subprocess.CompletedProcess([], 0, "0\n", "")

    monkeypatch.setattr("todo_project.server.reloads.subprocess.run", run)
    for _ in range(5):
        server.reload()
    called_meanwhile = server.original.called
    going_on.set()
    server.handle_signal()

    assert (called_meanwhile, server.original.call_count, len(checks)) == (False, 1, 2)


@pytest.mark.live
def test_an_invalid_secret_file_does_not_stop_the_service(template: str, tmp_path: Path) -> None:
    """The old workers must serve until a reload with a valid file, even if one of them dies."""
    file = tmp_path / "secret"
    file.write_text(SECRET)
    variables = {"BETTER_AUTH_SECRET": "", "BETTER_AUTH_SECRET_FILE": str(file)}
    with deploying(tmp_path, template) as deployed, deployed.serving(**variables) as live:
        before = workers(live)
        file.write_text("short")
        live.process.send_signal(signal.SIGHUP)
        live.wait_for_log("Not reloaded; the workers go on")
        with live.client("alice") as client:
            statuses = [client.get("/api/alice/tasks").status_code]
        kept = workers(live)
        os.kill(min(before), signal.SIGKILL)
        live.wait_for_log("A worker cannot start")
        with live.client("alice") as client:
            statuses.append(client.get("/api/alice/tasks").status_code)
        file.write_text(SECRET)
        live.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: not before & workers(live) and len(workers(live)) == 2, log=lambda: live.log
        )

    assert (statuses, kept) == ([200, 200], before)
    [line] = [line for line in live.log.splitlines() if "Not reloaded" in line]
    assert "have: BETTER_AUTH_SECRET" in line
    assert "shorter than 32 bytes" in line
    assert "Traceback" not in line
