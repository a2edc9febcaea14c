"""Runs the project as deployed: a copy without a developer's ``.env``, a new database, gunicorn.

Everything runs in processes that inherit no environment variable except ``PATH``.
"""

import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from django.db import connection
from psycopg import sql

from conftest import FRONT_END, SECRET, mint, require_marker
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.waiting import wait_until

GUNICORN = (sys.executable, "-m", "gunicorn", "todo_project.wsgi")
START_SECONDS = 180.0  # ten times as long as a busy machine takes
STOP_SECONDS = 45.0
# By default, each client loads the CA certificates, which takes 0.15 s.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def copy_project(folder: Path) -> Path:
    """Copy the deployed files into an empty folder."""
    for name in ("authn", "tasks", "todo_project"):
        shutil.copytree(
            BASE_DIR / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tests")
        )
    for name in ("manage.py", "gunicorn.conf.py"):
        shutil.copy(BASE_DIR / name, folder)
    return folder


def write_env(project: Path, database_url: str) -> None:
    """Write a ``.env`` with the plan's four production variables."""
    (project / ".env").write_text(
        "DEBUG=false\n"
        f"BETTER_AUTH_SECRET={SECRET}\n"
        f"NEON_DATABASE_URL={database_url}\n"
        f"BETTER_AUTH_URL={FRONT_END}\n"
    )


def run(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with these arguments; pass it only these variables and ``PATH``."""
    require_marker("live")
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def fresh_database(folder: Path, template: str | None = None) -> Iterator[str]:
    """Create a database on the tests' database server, or an SQLite file, and yield its URL.

    Args:
        folder: the folder of the SQLite file.
        template: the URL of the database to copy, which must have no connections; by default, the
            new database is empty.
    """
    if connection.vendor == "sqlite":
        file = folder / f"{uuid.uuid4().hex}.sqlite3"
        if template:
            shutil.copy(template.removeprefix("sqlite:///"), file)
        yield f"sqlite:///{file}"
        return
    server = os.environ["NEON_DATABASE_URL"]
    name = f"live_{uuid.uuid4().hex}"
    source = urlsplit(template).path[1:] if template else "template1"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class Deployment:
    """A copy of the project with its own database and the plan's four variables.

    Args:
        project: the folder of the copy.
        database_url: the URL of its database.
    """

    project: Path
    database_url: str

    def manage(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a management command without a terminal."""
        return run(self.project, "manage.py", *arguments, **variables)

    @contextmanager
    def serving(
        self, command: Sequence[str] = GUNICORN, **variables: str
    ) -> Iterator["LiveServer"]:
        """Serve the project with a command and these additional variables."""
        log_file = self.project.parent / f"{uuid.uuid4().hex}.log"
        with serving(self.project, log_file, command=command, **variables) as live:
            yield live

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement in the database, and return the rows."""
        if self.database_url.startswith("sqlite:///"):
            file = self.database_url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(file, isolation_level=None)) as database:
                return database.execute(statement).fetchall()
        with psycopg.connect(self.database_url, autocommit=True) as wire:
            cursor = wire.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def fill(self, user_id: str, count: int) -> None:
        """Insert this many tasks for a user."""
        self.query(
            "WITH RECURSIVE numbers (number) AS"  # noqa: S608 - the tests' own values
            f" (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count})"
            " INSERT INTO task (user_id, title, completed, created_at, updated_at)"
            f" SELECT '{user_id}', 'Buy milk', false, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP"
            " FROM numbers"
        )

    def count(self, user_id: str) -> int:
        """Return how many tasks a user has."""
        [[count]] = self.query(
            f"SELECT count(*) FROM task WHERE user_id = '{user_id}'"  # noqa: S608 - as above
        )
        return int(count)


@contextmanager
def deploying(folder: Path, template: str | None = None) -> Iterator[Deployment]:
    """Deploy the project into a folder, with a copy of the template or an empty database."""
    project = copy_project(folder / "project")
    with fresh_database(folder, template) as database_url:
        write_env(project, database_url)
        yield Deployment(project, database_url)


def free_port() -> int:
    """Reserve a port on the loopback interface until this process ends.

    A socket stays bound to the port without listening. The kernel assigns the port to no other
    process, but a server that sets ``SO_REUSEADDR``, as all servers of the tests do, can listen on
    it. Until then, connections are refused.
    """
    placeholder = socket.socket()
    placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    placeholder.bind(("127.0.0.1", 0))
    port: int = placeholder.getsockname()[1]
    placeholder.detach()  # the descriptor stays open
    return port


@dataclass(frozen=True)
class LiveServer:
    """A running gunicorn, or another server."""

    port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        """The log so far."""
        return self.log_file.read_text()

    @property
    def address(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, user_id: str | None = None, **headers: str) -> httpx.Client:
        """Create an HTTP client, with a token if a user is given."""
        if user_id is not None:
            headers["Authorization"] = f"Bearer {mint(user_id)}"
        return httpx.Client(
            base_url=self.address,
            headers=headers,
            timeout=30,
            trust_env=False,
            verify=NO_TLS,
            # no limit: a client shared by threads may otherwise close a connection in use
            limits=httpx.Limits(),
        )

    def exchange(self, request: bytes) -> bytes:
        """Send raw bytes, and return everything received until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            wire.sendall(request)
            received = b""
            while part := wire.recv(65536):
                received += part
        return received

    def wait_for_log(self, text: str) -> None:
        """Wait until the log contains a text."""
        wait_until(lambda: text in self.log, log=lambda: self.log)

    def kill(self) -> None:
        """Kill the server and its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)


@contextmanager
def serving(
    project: Path,
    log_file: Path,
    *,
    command: Sequence[str] = GUNICORN,
    open_files: str = "",
    **variables: str,
) -> Iterator[LiveServer]:
    """Serve the project with gunicorn until the block ends, on ``PORT`` or a free port.

    Args:
        project: the folder of the project.
        log_file: where its output goes.
        command: the program, which may be in the ``PATH`` of the variables, and its arguments.
        open_files: the soft and the hard limit of open files, as in ``"1024:4096"``; by default
            those of this process.
        variables: its environment variables.
    """
    require_marker("live")
    port = int(variables.get("PORT") or free_port())
    limiter = ["prlimit", f"--nofile={open_files}"] if open_files else []
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            [*limiter, *command],
            cwd=project,
            env={
                "PATH": os.environ["PATH"],
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "WEB_CONCURRENCY": "2",
                **variables,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that killpg() reaches the workers
        )
    server = LiveServer(port, process, log_file)
    try:
        await_health(server)
        yield server
    finally:
        try:
            server.stop()
        finally:
            with suppress(ProcessLookupError):  # it has already stopped
                os.killpg(process.pid, signal.SIGKILL)


def await_health(server: LiveServer) -> None:
    """Wait until ``/health`` succeeds."""
    with server.client() as client:
        _wait_until(server, lambda: client.get("/health").is_success)


def await_listener(server: LiveServer) -> None:
    """Wait until a server accepts connections."""

    def connects() -> bool:
        socket.create_connection(("127.0.0.1", server.port)).close()
        return True

    _wait_until(server, connects)


def _wait_until(server: LiveServer, is_ready: Callable[[], bool]) -> None:
    def condition() -> bool:
        assert server.process.poll() is None, server.log
        with suppress(OSError, httpx.TransportError):
            return is_ready()
        return False

    wait_until(condition, START_SECONDS, lambda: server.log)


def at_once(requests: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Send all requests at the same time; return the responses in the same order."""
    barrier = Barrier(len(requests), timeout=START_SECONDS)

    def send(request: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))
