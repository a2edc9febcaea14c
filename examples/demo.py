"""``make demo``: Better Auth and the API behind one origin, and a user who walks through both.

    python examples/demo.py [--once]

Installs the example's packages where that is due, starts everything on 127.0.0.1 with fresh secrets
and a database in a temporary folder, shows each request, and stays up until Ctrl-C, so that a front
end can be pointed at it. ``PORT`` (default 8000) is the origin's port.
"""

import argparse
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NoReturn

from dotenv import dotenv_values

EXAMPLE = Path(__file__).resolve().parent / "better-auth"
PROJECT = EXAMPLE.parent.parent
NODE = ["node", "--import", "tsx"]
OLDEST_NODE = 20
FRONT_END = "http://localhost:3000"
START_SECONDS = 60.0
STOP_SECONDS = 45.0
NOT_SHOWN = {"user_id", "description", "created_at", "updated_at", "success", "error", "status"}
POINTERS = """
All of it stays up at {origin} until Ctrl-C. For a front end on {front_end}:

NEXT_PUBLIC_API_BASE_URL={origin}

Sign in there as {email}, password {password!r}. The log: {log}"""


class DemoError(Exception):
    """The demo cannot go on, for the reason that the message gives."""


def main() -> int:
    """Run the demo, and return the exit code."""
    parser = argparse.ArgumentParser(description="Better Auth and the API behind one origin.")
    parser.add_argument("--once", action="store_true", help="end after the walk")
    once = parser.parse_args().once
    port = int(os.environ.get("PORT") or 8000)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        if reason := why_no_node():
            raise DemoError(reason)
        install_packages()
        with tempfile.TemporaryDirectory(prefix="todo-demo-") as name:
            folder = Path(name)
            with one_origin(port, folder):
                account = walk(port)
                if not once:
                    origin, log = f"http://localhost:{port}", folder / "log"
                    say(POINTERS.format(origin=origin, front_end=FRONT_END, log=log, **account))
                    signal.pause()
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def stop(*_: object) -> NoReturn:
    """End the demo; once, so that an impatient second Ctrl-C leaves no server behind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def why_no_node() -> str | None:
    """Say what keeps the example from running on this machine, if anything does."""
    needs = (
        f"The Better Auth example needs Node {OLDEST_NODE} or newer with npm, https://nodejs.org"
    )
    if not (shutil.which("node") and shutil.which("npm")):
        return f"{needs}; there is none on this machine's PATH."
    version = run(["node", "--version"], EXAMPLE, os.environ)
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        return f"{needs}; this machine has {version.strip()}."
    return None


def install_packages(example: Path = EXAMPLE) -> None:
    """Run ``npm ci`` where an example's packages are missing or older than the lock file.

    Raises:
        DemoError: they cannot be installed.
    """
    installed = example / "node_modules" / ".package-lock.json"  # npm writes it last
    lock = example / "package-lock.json"
    with lock.open() as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)  # `npm ci` deletes what another one is installing
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        run(["npm", "ci", "--no-audit", "--no-fund"], example, os.environ)


def run(command: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        DemoError: it failed.
    """
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DemoError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


@contextmanager
def one_origin(port: int, folder: Path) -> Iterator[None]:
    """Run Better Auth, the API and the gateway in front of both.

    Args:
        port: the origin's, on localhost.
        folder: an empty one, for the database and the log.

    Raises:
        DemoError: one of them does not start.
    """
    if listens(port):
        raise DemoError(f"Something listens on port {port} already. Choose another: PORT=8001.")
    auth_port, api_port = other_ports(port)
    log = folder / "log"
    base = {
        "PATH": os.environ["PATH"],
        "BETTER_AUTH_SECRET": secrets.token_urlsafe(32),
        "BETTER_AUTH_URL": f"http://localhost:{port}",
    }
    api = {
        # An empty one counts as not set: nothing of a developer's .env gets in.
        **dict.fromkeys(dotenv_values(PROJECT / ".env"), ""),
        **base,
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_ORIGINS": FRONT_END,
        "NEON_DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "TRUST_PROXY": "true",  # the gateway lets nobody else set X-Forwarded-*
        "HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
    }
    auth = {**base, "BETTER_AUTH_TRUSTED_ORIGINS": FRONT_END}
    gateway = {
        "PATH": os.environ["PATH"],
        "AUTH_URL": f"http://127.0.0.1:{auth_port}",
        "API_URL": f"http://127.0.0.1:{api_port}",
    }
    python = sys.executable
    run([python, "manage.py", "migrate", "--verbosity=0"], PROJECT, api)
    gunicorn = [python, "-m", "gunicorn", "todo_project.wsgi"]
    with (
        running([*NODE, "server.ts"], EXAMPLE, auth_port, auth, log),
        running(gunicorn, PROJECT, api_port, api, log),
        running([*NODE, "gateway.ts"], EXAMPLE, port, gateway, log),
    ):
        yield


@contextmanager
def running(
    command: list[str], folder: Path, port: int, variables: Mapping[str, str], log: Path
) -> Iterator[None]:
    """Run a server until the block ends.

    Raises:
        DemoError: it ends by itself, or does not answer in time.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            cwd=folder,
            env={**variables, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this program alone, which stops the others
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise DemoError(f"{command[-1]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def free_port() -> int:
    """Reserve a port of the loopback interface until this program ends.

    A socket stays bound to it and never listens, so that the kernel gives the port to nothing else.
    """
    placeholder = socket.socket()
    placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    placeholder.bind(("127.0.0.1", 0))
    port: int = placeholder.getsockname()[1]
    placeholder.detach()  # the descriptor stays open
    return port


def other_ports(port: int) -> list[int]:
    """Find two free ports beside one that nobody listens on yet."""
    found: list[int] = []
    while len(found) < 2:
        if (candidate := free_port()) not in (port, *found):
            found.append(candidate)
    return found


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def walk(port: int) -> dict[str, str]:
    """Sign a user up; create, flip and list a task. Return the e-mail address and password.

    Raises:
        DemoError: an answer is not the one that the step needs.
    """
    account = {"email": "ada@example.com", "password": secrets.token_urlsafe(12)}
    signed_up = call(port, "POST", "/api/auth/register", {**account, "username": "ada"})
    user, token = signed_up["data"]["user"], signed_up["data"]["token"]
    tasks = f"/api/{user['id']}/tasks"
    task = call(port, "POST", tasks, {"title": "Buy groceries"}, token)
    call(port, "PATCH", f"{tasks}/{task['id']}/complete", token=token)
    call(port, "GET", tasks, token=token)
    return account


def call(port: int, method: str, path: str, body: object = None, token: str = "") -> Any:
    """Send a request to the one origin, show it and its answer, and return the answer's JSON."""
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = HTTPConnection("localhost", port, timeout=START_SECONDS)
    connection.request(method, path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    say(f"\n{method} {path}" + (f" {json.dumps(body)}" if body else ""))
    if response.status >= 400:
        raise DemoError(f"{response.status} {answer}")
    shown = json.loads(answer, object_hook=essential)
    say(f"{response.status} {json.dumps(shown, ensure_ascii=False)}")
    return json.loads(answer)


def essential(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an answer's object what nobody needs to see here."""
    kept = {name: value for name, value in fields.items() if name not in NOT_SHOWN}
    if "token" in kept:
        kept["token"] = f"{kept['token'][:12]}…"
    return kept


if __name__ == "__main__":
    sys.exit(main())
