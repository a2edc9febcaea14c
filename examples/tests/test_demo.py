"""``make demo``'s program, from end to end."""

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
from examples.demo import listens
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import free_port

DEMO = [sys.executable, "examples/demo.py"]
SECONDS = 120.0


def demo_once(path: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end, with these programs to find."""
    return subprocess.run(
        [*DEMO, "--once"],
        cwd=BASE_DIR,
        env={"PATH": path, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_the_demo_walks_through_and_stays_up_until_it_is_stopped(node: None) -> None:
    """A front end must be able to use the one origin until Ctrl-C, and then nothing may be left."""
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
            walk = list(itertools.takewhile(lambda line: line != end, demo.stdout))
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
            ) as client:
                health, session = client.get("/health"), client.get("/api/auth/get-session")
        finally:
            demo.send_signal(signal.SIGINT)
        rest, complaints = demo.communicate(timeout=SECONDS)

    steps = [line for line in walk if line.strip()][:8]
    words = [step.split()[0] for step in steps]
    assert words == ["POST", "200", "POST", "201", "PATCH", "200", "GET", "200"]
    assert steps[-1] == '200 [{"id": 1001, "title": "Buy groceries", "completed": true}]\n'
    assert (health.json()["status"], session.status_code) == ("healthy", 200)
    assert (demo.returncode, rest.splitlines()[-1], complaints) == (0, "Stopped.", "")
    assert not listens(port)


def test_the_demo_ends_after_the_walk_if_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--once`` must end the demo by itself."""
    monkeypatch.setattr("sys.argv", ["demo.py", "--once"])
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setattr("signal.signal", lambda *handler: None)  # the tests keep theirs
    monkeypatch.setattr("signal.pause", lambda: pytest.fail("The demo stays up."))
    monkeypatch.setattr(demo_program, "why_no_node", lambda: None)
    monkeypatch.setattr(demo_program, "install_packages", lambda: None)
    monkeypatch.setattr(demo_program, "one_origin", lambda port, folder: nullcontext())
    monkeypatch.setattr(demo_program, "walk", walk := mock.Mock(return_value={}))

    assert demo_program.main() == 0
    walk.assert_called_once_with(8123)


def test_the_demo_says_in_one_sentence_that_node_is_missing(tmp_path: Path) -> None:
    """A newcomer must learn what to install, and see no stack trace."""
    done = demo_once(str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The Better Auth example needs Node 20 or newer with npm, https://nodejs.org;"
        " there is none on this machine's PATH.\n"
    )


def test_the_demo_says_in_one_sentence_that_node_is_too_old(tmp_path: Path) -> None:
    """A Node that cannot run the example must not be tried."""
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.4\n")
        program.chmod(0o755)
    done = demo_once(f"{tmp_path}:/bin")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("https://nodejs.org; this machine has v18.20.4.\n")
