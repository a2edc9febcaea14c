"""``make demo``: run Better Auth and the API behind one origin, and use them as a new user.

    python examples/demo.py [--once]

Installs the example's packages if needed, starts all servers on 127.0.0.1 with fresh secrets and a
database in a temporary directory, shows each request, and runs until Ctrl-C, so that you can point
a front end at it. ``PORT`` (default 8000) is the port of the origin, ``FRONT_END`` (default
http://localhost:3000) the origin of the front end.
"""

import argparse
import fcntl
import json
import os
import re
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
MIN_NODE = 20
# Only localhost: to a browser, 127.0.0.1 is another site, to which it sends no cookies of this one.
FRONT_END = re.compile(r"http://localhost(:(?P<port>[0-9]+))?/?")
DEFAULT_PORT = 80  # of http; browsers leave it out
START_SECONDS = 60.0
STOP_SECONDS = 45.0
HIDDEN_FIELDS = {"user_id", "description", "created_at", "updated_at", "success", "error", "status"}
NEXT_STEPS = """
The servers run at {origin} until Ctrl-C. For a front end on {front_end}:

NEXT_PUBLIC_API_BASE_URL={origin}

Next.js bakes this variable into the pages at build time: after a change, restart `next dev`, or
build again. For one on another port: make demo FRONT_END={other}
Open {front_end} in the browser, not 127.0.0.1, which gets no cookies.
Sign in there as {email}, password {password!r}. The log: {log}"""


class DemoError(Exception):
    """The demo cannot continue; the message says why."""


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(description="Better Auth and the API behind one origin.")
    parser.add_argument("--once", action="store_true", help="exit after the last request")
    once = parser.parse_args().once
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        port, front_end = settings(os.environ)
        if reason := node_problem():
            raise DemoError(reason)
        install_packages()
        with tempfile.TemporaryDirectory(prefix="todo-demo-") as name:
            folder = Path(name)
            with running_servers(port, folder, front_end):
                account = walk(port)
                if not once:
                    say(next_steps(port, front_end, log=folder / "log", **account))
                    signal.pause()
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def stop(*_: object) -> NoReturn:
    """End the demo. Later signals are ignored, so that a second Ctrl-C leaves no server running."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Print a line and flush it, so that a pipe shows it at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def settings(variables: Mapping[str, str]) -> tuple[int, str]:
    """Return the port of the origin, and the origin of the front end.

    Raises:
        DemoError: ``PORT`` or ``FRONT_END`` cannot be right.
    """
    port = variables.get("PORT") or "8000"
    if not is_port(port):
        raise DemoError("PORT must be a whole number from 1 to 65535.")
    found = FRONT_END.fullmatch(variables.get("FRONT_END") or "http://localhost:3000")
    front_port = (found["port"] or str(DEFAULT_PORT)) if found else ""
    if not (is_port(front_port) and int(front_port) != int(port)):
        raise DemoError(
            "FRONT_END must be an origin on localhost, with another port than PORT,"
            f" such as {other_origin(origin(int(port)))}."
        )
    return int(port), origin(int(front_port))


def origin(port: int) -> str:
    """Return the origin of a port on localhost, as browsers send it."""
    return "http://localhost" + (f":{port}" if port != DEFAULT_PORT else "")


def other_origin(*origins: str) -> str:
    """Return an example of an origin that is neither of these two."""
    return min({origin(port) for port in (3001, 3002, 3003)} - {*origins})


def next_steps(port: int, front_end: str, **values: object) -> str:
    """Return the text that says how to use the servers."""
    here = origin(port)
    other = other_origin(here, front_end)
    return NEXT_STEPS.format(origin=here, front_end=front_end, other=other, **values)


def is_port(text: str) -> bool:
    """Return whether a text is a port."""
    return re.fullmatch("[0-9]{1,5}", text) is not None and 0 < int(text) < 2**16


def node_problem() -> str | None:
    """Return why Node or npm cannot run the example, or ``None`` if they can."""
    needs = f"The Better Auth example needs Node {MIN_NODE} or newer with npm, https://nodejs.org"
    if not (shutil.which("node") and shutil.which("npm")):
        return f"{needs}; node or npm is not on the PATH."
    version = run(["node", "--version"], EXAMPLE, os.environ)
    if int(version.removeprefix("v").partition(".")[0]) < MIN_NODE:
        return f"{needs}; found {version.strip()}."
    return None


def install_packages(example: Path = EXAMPLE) -> None:
    """Run ``npm ci`` if an example's packages are missing or older than the lock file.

    Raises:
        DemoError: ``npm ci`` failed.
    """
    installed = example / "node_modules" / ".package-lock.json"  # npm writes this file last
    lock = example / "package-lock.json"
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a concurrent `npm ci` would delete these files
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        say(f"Installing the packages of {example.name} with npm ci: about a minute ...")
        run(["npm", "ci", "--no-audit", "--no-fund"], example, os.environ)


def run(command: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a command and return its output.

    Raises:
        DemoError: the command failed.
    """
    result = subprocess.run(  # noqa: S603 - fixed commands
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise DemoError(f"{' '.join(command)} failed:\n{result.stderr}")
    return result.stdout


@contextmanager
def running_servers(port: int, folder: Path, front_end: str) -> Iterator[None]:
    """Run Better Auth, the API and the gateway in front of them.

    Args:
        port: the port of the origin, on localhost.
        folder: an empty directory for the database and the log.
        front_end: the origin whose pages may call both.

    Raises:
        DemoError: a server did not start.
    """
    if is_listening(port):
        raise DemoError(f"Port {port} is already in use. Choose another one: PORT=8001.")
    auth_port, api_port = two_free_ports(port)
    log = folder / "log"
    base = {
        "PATH": os.environ["PATH"],
        "BETTER_AUTH_SECRET": secrets.token_urlsafe(32),
        "BETTER_AUTH_URL": origin(port),
    }
    api = {
        # An empty variable counts as unset: this hides the developer's .env.
        **dict.fromkeys(dotenv_values(PROJECT / ".env"), ""),
        **base,
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_ORIGINS": front_end,
        "NEON_DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "TRUST_PROXY": "true",  # the gateway overwrites X-Forwarded-*
        "HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
    }
    api_url = {"API_URL": f"http://127.0.0.1:{api_port}"}
    auth = {
        **base,
        **api_url,
        "BETTER_AUTH_TRUSTED_ORIGINS": front_end,
        # The plan's front end never renews its token.
        "API_TOKEN_LIFETIME": os.environ.get("API_TOKEN_LIFETIME") or "24h",
    }
    gateway = {
        "PATH": os.environ["PATH"],
        "AUTH_URL": f"http://127.0.0.1:{auth_port}",
        "ALLOWED_ORIGINS": front_end,
        **api_url,
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
        DemoError: the server exited or did not accept connections in time.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - fixed commands
            command,
            cwd=folder,
            env={**variables, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # only this program gets Ctrl-C; it stops the servers
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise DemoError(f"{command[-1]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def free_port() -> int:
    """Reserve a port on the loopback interface until this program ends.

    A socket is bound to the port and never listens, so the kernel does not assign the port again.
    """
    placeholder = socket.socket()
    placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    placeholder.bind(("127.0.0.1", 0))
    port: int = placeholder.getsockname()[1]
    placeholder.detach()  # the descriptor stays open
    return port


def two_free_ports(port: int) -> list[int]:
    """Reserve two ports other than ``port``."""
    ports: list[int] = []
    while len(ports) < 2:
        if (candidate := free_port()) != port:
            ports.append(candidate)
    return ports


def is_listening(port: int) -> bool:
    """Return whether a server is listening on a port of 127.0.0.1."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def walk(port: int) -> dict[str, str]:
    """Sign up; create, complete and list a task. Return the e-mail address and the password.

    Raises:
        DemoError: a request failed.
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
    """Send a request to the origin, print it and the response, and return the response's JSON.

    Raises:
        DemoError: the status is 400 or higher.
    """
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = HTTPConnection("localhost", port, timeout=START_SECONDS)
    connection.request(method, path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    say(f"\n{method} {path}" + (f" {json.dumps(body)}" if body else ""))
    if response.status >= 400:
        raise DemoError(f"{response.status} {text}")
    shown = json.loads(text, object_hook=shorten)
    say(f"{response.status} {json.dumps(shown, ensure_ascii=False)}")
    return json.loads(text)


def shorten(fields: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields that the demo does not print, and shorten the token."""
    shown = {name: value for name, value in fields.items() if name not in HIDDEN_FIELDS}
    if "token" in shown:
        shown["token"] = f"{shown['token'][:12]}…"
    return shown


if __name__ == "__main__":
    sys.exit(main())
