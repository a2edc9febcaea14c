"""Observes a server and its database from outside."""

from pathlib import Path

from faults.postgres import Postgres
from todo_project.tests.live_server import LiveServer
from todo_project.tests.waiting import wait_until


def workers(server: LiveServer) -> set[int]:
    """Return the pids of the worker processes."""
    main = server.process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text()
    return {int(pid) for pid in children.split()}


def wait_for_locks(postgres: Postgres, count: int) -> None:
    """Wait until ``count`` or more database connections are waiting for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    wait_until(lambda: postgres.execute(waiting) >= [(count,)], 4)


def anonymous_kib(pids: set[int]) -> int:
    """Return the memory of processes in KiB, without files and shared pages."""
    return sum(_proc_number(pid, "smaps_rollup", "Pss_Anon") for pid in pids)


def threads(pid: int) -> int:
    """Return how many threads a process has."""
    return _proc_number(pid, "status", "Threads")


def open_files(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return len(list((Path("/proc") / str(pid) / "fd").iterdir()))


def client_connections(server: LiveServer) -> int:
    """Return how many connections of clients the server has accepted and not closed."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        local.endswith(f":{server.port:04X}") and state != "0A" and inode != "0"  # 0A: listening
        for local, state, inode in ((fields[1], fields[3], fields[9]) for fields in lines)
    )


def _proc_number(pid: int, file: str, name: str) -> int:
    text = (Path("/proc") / str(pid) / file).read_text()
    return int(text.partition(f"\n{name}:")[2].split()[0])
