"""Metrics of several workers, some of them killed and replaced."""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from todo_project.postgresql.connection_pool import API_CONNECTIONS
from todo_project.tests.live_server import LiveServer, deploying
from todo_project.tests.waiting import wait_until

REQUESTS = 40

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not Path("/proc/self/task").is_dir(), reason="finds the workers in Linux's /proc"
    ),
]


@pytest.fixture(scope="module")
def metered(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with metrics and three workers; check afterwards that the metrics folder is removed."""
    with deploying(tmp_path_factory.mktemp("metered"), template) as deployed:
        with deployed.serving(METRICS="true", WEB_CONCURRENCY="3") as live:
            yield live
            files = folder_of(live)
        assert not files.exists()


def folder_of(live: LiveServer) -> Path:
    """Return the folder of the workers' counters."""
    send(live, 1)  # a worker opens its files on its first request
    maps = "".join(Path(f"/proc/{worker}/maps").read_text() for worker in workers(live))
    found = re.search(r"(\S*todo-metrics-[^/]+)/counter_[0-9]+\.db", maps)
    assert found, maps
    return Path(found[1])


def workers(live: LiveServer) -> list[int]:
    """Return the process ids of the current workers."""
    tasks = Path(f"/proc/{live.process.pid}/task")
    children = " ".join((task / "children").read_text() for task in tasks.iterdir())
    return [int(child) for child in children.split()]


def request_count(live: LiveServer, route: str, status: int) -> float:
    """Return the number of GET requests with this route and status."""
    text = scrape(live)
    sample = f'http_requests_total{{method="GET",route="{route}",status="{status}"}} '
    return sum(
        float(line.removeprefix(sample)) for line in text.splitlines() if line.startswith(sample)
    )


def scrape(live: LiveServer) -> str:
    """Return the metrics from any worker."""
    with live.client() as client:  # a new connection, so that any worker may respond
        return client.get("/metrics").raise_for_status().text


def send(live: LiveServer, count: int, path: str = "/health") -> None:
    """Send requests, each over its own connection."""
    for _ in range(count):
        assert live.exchange(
            f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )


def gauges(live: LiveServer) -> tuple[float, ...]:
    """Return how many connections are in use, and how many requests wait for one."""
    found = dict(re.findall(r"^database_connections_(\w+) (\S+)$", scrape(live), re.MULTILINE))
    return float(found["in_use"]), float(found["awaited"])


@contextmanager
def flipping(live: LiveServer, task: int, clients: int) -> Iterator[None]:
    """Flip a task until the block ends: each client again and again, whatever it is answered."""
    has_ended = threading.Event()

    def flip() -> None:
        while not has_ended.is_set():
            with suppress(httpx.TransportError), live.client("alice") as client:
                client.patch(f"/api/alice/tasks/{task}/complete")

    with ThreadPoolExecutor(clients) as pool:
        for _ in range(clients):
            pool.submit(flip)
        try:
            yield
        finally:
            has_ended.set()


def wait_for_workers(live: LiveServer, old: set[int], count: int = 3) -> None:
    """Wait until exactly this many workers run, none of them an old one."""
    wait_until(
        lambda: not old & set(workers(live)) and len(workers(live)) == count,
        log=lambda: live.log,
    )


def test_every_worker_returns_the_sum_of_all_workers(metered: LiveServer) -> None:
    """Requests, statements and refusals must be summed over the workers."""
    before = request_count(metered, "/", 200)
    send(metered, REQUESTS, "/")
    send(metered, REQUESTS, "/api/alice/tasks")
    for _ in range(REQUESTS):
        with metered.client("alice") as client:
            assert client.get("/api/alice/tasks").status_code == 200

    text = scrape(metered)
    statements = re.search(r"^database_statement_duration_seconds_count (\S+)$", text, re.MULTILINE)
    assert [request_count(metered, "/", 200) for _ in range(10)] == [before + REQUESTS] * 10
    assert statements
    assert float(statements[1]) >= REQUESTS
    assert f'authentication_failures_total{{reason="missing_token"}} {REQUESTS}.0' in text


def test_a_killed_worker_loses_no_counts(metered: LiveServer) -> None:
    """A counter must never decrease, and files must not accumulate."""
    send(metered, REQUESTS)
    for _ in range(3):
        before = request_count(metered, "/health", 200)
        killed = workers(metered)[0]
        os.kill(killed, signal.SIGKILL)
        wait_for_workers(metered, {killed})

        assert request_count(metered, "/health", 200) == before
        send(metered, 5)
        assert request_count(metered, "/health", 200) == before + 5
    # three files for each worker that has handled a request
    assert {file.name for file in folder_of(metered).iterdir()} <= {
        f"{kind}_{number}.db"
        for kind in ("counter", "gauge_livesum", "histogram")
        for number in (1, 2, 3)
    }


def test_a_reload_loses_no_counts(metered: LiveServer) -> None:
    """New workers must not share files with old ones that are still running.

    The gauges of old ones must go with them.
    """
    send(metered, REQUESTS)
    before = request_count(metered, "/health", 200)
    old = set(workers(metered))
    metered.process.send_signal(signal.SIGHUP)
    wait_for_workers(metered, old)
    send(metered, 5)

    assert request_count(metered, "/health", 200) == before + 5
    files = folder_of(metered)
    assert len([file for file in files.iterdir() if not file.match("gauge_*")]) <= 2 * 2 * 3
    wait_until(lambda: len(list(files.glob("gauge_livesum_*"))) == 3)


@pytest.mark.postgresql
def test_requests_that_wait_for_the_database_are_counted(template: str, tmp_path: Path) -> None:
    """The metrics must say so meanwhile, and no longer after their worker was killed."""
    with (
        deploying(tmp_path, template) as deployed,
        deployed.serving(METRICS="true", WEB_CONCURRENCY="1") as live,
    ):
        deployed.fill("alice", 1)
        with psycopg.connect(deployed.database_url) as other:
            [[task]] = other.execute("SELECT id FROM task FOR UPDATE").fetchall()
            with flipping(live, task, clients=1):
                wait_until(lambda: gauges(live) == (1, 0))
            with flipping(live, task, clients=API_CONNECTIONS + 3):
                wait_until(lambda: gauges(live) == (API_CONNECTIONS, 3))
                killed = workers(live)
                os.kill(killed[0], signal.SIGKILL)
            wait_for_workers(live, {*killed}, 1)

        wait_until(lambda: gauges(live) == (0, 0))


def test_a_configured_folder_is_used_and_kept(tmp_path: Path) -> None:
    """The server must not remove a folder that it did not create."""
    folder = tmp_path / "kept"
    folder.mkdir()
    variables = {"METRICS": "true", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with deploying(tmp_path) as deployed, deployed.serving(**variables) as live:
        assert request_count(live, "/health", 200) >= 1

    assert list(folder.glob("counter_*.db"))


def test_the_gauges_of_a_killed_server_do_not_stay(tmp_path: Path) -> None:
    """The next server must remove them from a configured folder, also if it has fewer workers."""
    variables = {"METRICS": "true", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "kept")}
    gauges_of = (tmp_path / "kept").glob
    with deploying(tmp_path) as deployed:
        with deployed.serving(**variables, WEB_CONCURRENCY="3") as live:
            wait_until(lambda: len([*gauges_of("gauge_*")]) == 3)
            live.kill()
        with deployed.serving(**variables, WEB_CONCURRENCY="1") as live:
            scrape(live)
            files = {file.name for file in gauges_of("gauge_*")}

    assert files == {"gauge_livesum_1.db"}


def test_a_server_that_replaces_another_keeps_its_gauges(tmp_path: Path) -> None:
    """The workers of the old one (SIGUSR2) must be able to go on with their files."""
    folder = tmp_path / "kept"
    variables = {"METRICS": "true", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    # `python -m gunicorn` cannot start itself again.
    command = (str(Path(sys.executable).with_name("gunicorn")), "todo_project.wsgi")
    with deploying(tmp_path) as deployed, deployed.serving(command, **variables) as live:
        wait_until(lambda: len([*folder.glob("gauge_*")]) == 2)
        before = {file.stat().st_ino for file in folder.glob("gauge_*")}
        live.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: live.log.count("Listening at") == 2, log=lambda: live.log)
        after = {file.stat().st_ino for file in folder.glob("gauge_*")}
        live.kill()

    assert after == before


def test_a_command_writes_no_metrics(tmp_path: Path) -> None:
    """It must leave no file in a configured folder, and start without that folder."""
    folder = tmp_path / "kept"
    variables = {"METRICS": "true", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with deploying(tmp_path) as deployed:
        missing = deployed.manage("check", **variables)
        folder.mkdir()
        traced = deployed.manage("check", "--traceback", **variables)

    assert (missing.returncode, traced.returncode) == (0, 0), missing.stderr + traced.stderr
    assert not [*folder.iterdir()]
