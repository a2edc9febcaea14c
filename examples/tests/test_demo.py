"""``make demo`` from end to end."""

import itertools
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from unittest import mock

import httpx
import pytest

import examples.demo as demo_program
from examples.demo import DemoError, install_packages, is_listening, next_steps, settings
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import free_port

DEMO = [sys.executable, "examples/demo.py"]
TIMEOUT_SECONDS = 120.0
FRONT_END = "http://localhost:3001"
# With a cookie, Better Auth looks at the origin before the body.
FROM_FRONT_END = {"Origin": FRONT_END, "Cookie": "a=b"}
FROM_ELSEWHERE = {"Origin": "http://localhost:3000", "Cookie": "a=b"}


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
        env={"PATH": os.environ["PATH"], "PORT": str(port), "FRONT_END": f"{FRONT_END}/"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        try:
            lines = list(
                itertools.takewhile(lambda line: not line.startswith("Sign in"), demo.stdout)
            )
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
            ) as client:
                health = client.get("/health", headers={"Origin": FRONT_END})
                session = client.get("/api/auth/get-session")
                signed_in = client.post("/api/auth/sign-in/email", json={}, headers=FROM_FRONT_END)
                refused = client.post("/api/auth/sign-in/email", json={}, headers=FROM_ELSEWHERE)
        finally:
            demo.send_signal(signal.SIGINT)
        rest, stderr = demo.communicate(timeout=TIMEOUT_SECONDS)

    steps = [line for line in lines if line.strip()][:8]
    first_words = [step.split()[0] for step in steps]
    assert first_words == ["POST", "200", "POST", "201", "PATCH", "200", "GET", "200"]
    assert steps[-1] == '200 [{"id": 1001, "title": "Buy groceries", "completed": true}]\n'
    assert (health.json()["status"], session.status_code) == ("healthy", 200)
    assert health.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert (signed_in.status_code, refused.status_code) == (400, 403)
    assert f"NEXT_PUBLIC_API_BASE_URL=http://localhost:{port}\n" in lines
    assert f"Open {FRONT_END} in the browser, not 127.0.0.1" in "".join(lines)
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
    monkeypatch.setattr(demo_program, "running_servers", lambda *settings: nullcontext())
    monkeypatch.setattr(demo_program, "walk", walk := mock.Mock(return_value={}))

    assert demo_program.main() == 0
    walk.assert_called_once_with(8123)


@pytest.mark.parametrize("port", ["0", "65536", "8000x", "-1", "80.0", "٣"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    """The message must name the variable, and must not show its value."""
    with pytest.raises(DemoError, match=r"^PORT must be a whole number from 1 to 65535\.$"):
        settings({"PORT": port})


@pytest.mark.parametrize(
    "front_end",
    [
        *("localhost:3001", "3001", "http://127.0.0.1:3001", "http://[::1]:3001"),
        *("https://localhost:3001", "http://app.example:3001", "http://localhost:3001/tasks"),
        *("http://localhost:0", "http://localhost:65536", "http://localhost:", "*"),
        *("http://user@localhost:3001", "http://localhost:3001,http://localhost:3002"),
        *("http://localhost:8000", "http://localhost:08000"),  # the port of the demo
    ],
)
def test_a_front_end_that_cannot_work_is_refused(front_end: str) -> None:
    """Its pages would get no cookie, or could not be served."""
    with pytest.raises(DemoError, match=r"^FRONT_END must be an origin on localhost, .*3001\.$"):
        settings({"FRONT_END": front_end})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, (8000, "http://localhost:3000")),
        ({"PORT": "", "FRONT_END": ""}, (8000, "http://localhost:3000")),
        ({"PORT": "8001", "FRONT_END": "http://localhost:8000/"}, (8001, "http://localhost:8000")),
        ({"PORT": "08001"}, (8001, "http://localhost:3000")),
        ({"FRONT_END": "http://localhost"}, (8000, "http://localhost")),
        ({"FRONT_END": "http://localhost:80"}, (8000, "http://localhost")),
        ({"FRONT_END": "http://localhost:03000"}, (8000, "http://localhost:3000")),
    ],
)
def test_the_origins_of_the_demo(variables: dict[str, str], expected: tuple[int, str]) -> None:
    """The front end's must be that which a browser sends, without a slash or the default port."""
    assert settings(variables) == expected


@pytest.mark.parametrize("front_end", ["http://localhost", "http://localhost:80"])
def test_a_front_end_on_the_default_port_of_the_demo_is_refused(front_end: str) -> None:
    """Port 80 must be the same with and without its number."""
    with pytest.raises(DemoError, match="with another port than PORT"):
        settings({"PORT": "80", "FRONT_END": front_end})


def test_a_refusal_suggests_an_origin_that_is_accepted() -> None:
    """The example must not be the origin of the demo."""
    with pytest.raises(DemoError, match=r"such as http://localhost:3002\.$"):
        settings({"PORT": "3001", "FRONT_END": "http://localhost:3001"})


@pytest.mark.parametrize(
    ("port", "front_end", "suggested"),
    [
        (8000, "http://localhost:3000", "http://localhost:3001"),
        (8000, "http://localhost:3001", "http://localhost:3002"),
        (3002, "http://localhost:3001", "http://localhost:3003"),
    ],
)
def test_the_next_steps_suggest_another_front_end(
    port: int, front_end: str, suggested: str
) -> None:
    """The command must change something, and must be accepted."""
    text = next_steps(port, front_end, log="log", email="a@example.com", password="secret")

    assert f"make demo FRONT_END={suggested}\n" in text


def test_the_next_steps_name_the_origin_as_browsers_do() -> None:
    """The default port must be left out."""
    text = next_steps(80, "http://localhost:3000", log="", email="", password="")

    assert "NEXT_PUBLIC_API_BASE_URL=http://localhost\n" in text


def test_the_demo_says_why_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value must be one line, before anything is installed."""
    monkeypatch.setattr("sys.argv", ["demo.py"])
    monkeypatch.setattr("signal.signal", lambda *handler: None)
    monkeypatch.setenv("FRONT_END", "localhost:3001")
    monkeypatch.setattr(demo_program, "install_packages", lambda: pytest.fail("It installs."))
    monkeypatch.setattr("sys.stderr", stderr := StringIO())

    assert demo_program.main() == 1
    assert stderr.getvalue().count("\n") == 1


def test_an_installation_is_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``npm ci`` prints nothing for a minute."""
    (tmp_path / "package-lock.json").touch()
    monkeypatch.setattr(demo_program, "run", run := mock.Mock())

    install_packages(tmp_path)

    expected = f"Installing the packages of {tmp_path.name} with npm ci: about a minute ...\n"
    assert capsys.readouterr().out == expected
    assert run.call_args.args[0][:2] == ["npm", "ci"]


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
