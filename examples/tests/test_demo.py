"""``make demo``'s program, from end to end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from examples.demo import listens
from todo_project.environment import BASE_DIR
from todo_project.tests.live_server import free_port

DEMO = [sys.executable, "examples/demo.py"]
SECONDS = 120.0


def demo_once(port: int, path: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end, with these programs to find."""
    return subprocess.run(
        [*DEMO, "--once"],
        cwd=BASE_DIR,
        env={"PATH": path, "PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_the_demo_signs_up_and_creates_flips_and_lists_a_task(node: None) -> None:
    """The whole chain must work in one command, and leave nothing running."""
    port = free_port()
    done = demo_once(port, os.environ["PATH"])

    assert (done.returncode, done.stderr) == (0, "")
    steps = [line.split()[0] for line in done.stdout.splitlines() if line]
    assert steps == ["POST", "200", "POST", "201", "PATCH", "200", "GET", "200"]
    assert done.stdout.endswith('[{"id": 1001, "title": "Buy groceries", "completed": true}]\n')
    assert not listens(port)


def test_the_demo_stays_up_until_it_is_stopped(node: None) -> None:
    """A front end must be able to use the one origin until Ctrl-C, and then nothing may be left."""
    port = free_port()
    variables = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with subprocess.Popen(
        DEMO, cwd=BASE_DIR, env=variables, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        for line in demo.stdout:
            if line.startswith("NEXT_PUBLIC_API_BASE_URL"):
                break
        health = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        session = httpx.get(f"http://127.0.0.1:{port}/api/auth/get-session", trust_env=False)
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()

    assert line == f"NEXT_PUBLIC_API_BASE_URL=http://localhost:{port}\n"
    assert (health.json()["status"], session.status_code) == ("healthy", 200)
    assert (demo.returncode, rest.splitlines()[-1]) == (0, "Stopped.")
    assert not listens(port)


def test_a_machine_without_node_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    """A newcomer must learn what to install, and see no stack trace."""
    done = demo_once(free_port(), str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The Better Auth example needs Node 20 or newer with npm, https://nodejs.org;"
        " there is none on this machine's PATH.\n"
    )


def test_an_old_node_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    """A Node that cannot run the example must not be tried."""
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.4\n")
        program.chmod(0o755)
    done = demo_once(free_port(), f"{tmp_path}:/bin")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("https://nodejs.org; this machine has v18.20.4.\n")
