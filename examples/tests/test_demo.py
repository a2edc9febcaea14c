"""``make demo`` from end to end."""

import itertools
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import httpx
import pytest

import examples.demo as demo_program
from examples.demo import is_listening
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import free_port

DEMO = [sys.executable, "examples/demo.py"]
TIMEOUT_SECONDS = 120.0


def run_demo_once(path: str) -> subprocess.CompletedProcess[str]:
    """Run ``demo.py --once`` with this ``PATH``."""
    return subprocess.run(
        [*DEMO, "--once"],
        cwd=BASE_DIR,
        env={"PATH": path, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def test_demo_sends_its_requests_and_runs_until_ctrl_c(node: None) -> None:
    """The servers must run until Ctrl-C, so that a front end can use them, and then stop."""
    port = free_port()
    with subprocess.Popen(
        DEMO,
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        end = f"NEXT_PUBLIC_API_BASE_URL=http://localhost:{port}\n"
        try:
            lines = list(itertools.takewhile(lambda line: line != end, demo.stdout))
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
            ) as client:
                health, session = client.get("/health"), client.get("/api/auth/get-session")
        finally:
            demo.send_signal(signal.SIGINT)
        rest, stderr = demo.communicate(timeout=TIMEOUT_SECONDS)

    steps = [line for line in lines if line.strip()][:8]
    first_words = [step.split()[0] for step in steps]
    assert first_words == ["POST", "200", "POST", "201", "PATCH", "200", "GET", "200"]
    assert steps[-1] == '200 [{"id": 1001, "title": "Buy groceries", "completed": true}]\n'
    assert (health.json()["status"], session.status_code) == ("healthy", 200)
    assert (demo.returncode, rest.splitlines()[-1], stderr) == (0, "Stopped.", "")
    assert not is_listening(port)


def test_demo_once_exits_after_the_last_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--once`` must not wait for Ctrl-C."""
    monkeypatch.setattr("sys.argv", ["demo.py", "--once"])
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setattr("signal.signal", lambda *handler: None)  # keep pytest's handlers
    monkeypatch.setattr("signal.pause", lambda: pytest.fail("The demo waits."))
    monkeypatch.setattr(demo_program, "node_problem", lambda: None)
    monkeypatch.setattr(demo_program, "install_packages", lambda: None)
    monkeypatch.setattr(demo_program, "running_servers", lambda port, folder: nullcontext())
    monkeypatch.setattr(demo_program, "walk", walk := mock.Mock(return_value={}))

    assert demo_program.main() == 0
    walk.assert_called_once_with(8123)


def test_demo_without_node_fails_with_one_sentence(tmp_path: Path) -> None:
    """The message must say what to install; there must be no traceback."""
    result = run_demo_once(str(tmp_path))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "The Better Auth example needs Node 20 or newer with npm, https://nodejs.org;"
        " node or npm is not on the PATH.\n"
    )


def test_demo_with_an_old_node_fails_with_one_sentence(tmp_path: Path) -> None:
    """A version of Node that cannot run the example must be rejected."""
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.4\n")
        program.chmod(0o755)
    result = run_demo_once(f"{tmp_path}:/bin")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith("https://nodejs.org; found v18.20.4.\n")
