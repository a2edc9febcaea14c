"""Metrics of several workers that are killed and replaced (issue "Documents, …", metrics)."""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import mint
from todo_project.tests.live_server import (
    LiveServer,
    copy_project,
    fresh_database,
    run,
    serving,
    write_env,
)

REQUESTS = 40

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not Path("/proc/self/task").is_dir(), reason="finds the workers in /proc, as on Linux"
    ),
]


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with metrics and three workers; afterwards their folder must be gone."""
    folder = tmp_path_factory.mktemp("metered")
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        write_env(project, database_url)
        migrated = run(project, "manage.py", "migrate", "--verbosity=0")
        assert migrated.returncode == 0, migrated.stderr
        variables = {"METRICS": "true", "WEB_CONCURRENCY": "3"}
        with serving(project, folder / "server.log", **variables) as live:
            yield live
            files = folder_of(live)
        assert not files.exists()


def folder_of(live: LiveServer) -> Path:
    """Find where the workers keep what they count."""
    send(live, 1)  # a worker opens its files at its first request
    maps = "".join(Path(f"/proc/{worker}/maps").read_text() for worker in workers(live))
    found = re.search(r"(\S*todo-metrics-[^/]+)/counter_[0-9]+\.db", maps)
    assert found, maps
    return Path(found[1])


def workers(live: LiveServer) -> list[int]:
    """Return the workers that are there at the moment."""
    tasks = Path(f"/proc/{live.process.pid}/task")
    children = [(each / "children").read_text().split() for each in tasks.iterdir()]
    return [int(child) for each in children for child in each]


def answered(live: LiveServer, route: str, status: int, method: str = "GET") -> float:
    """Read how many requests were counted."""
    text = scrape(live)
    sample = f'http_requests_total{{method="{method}",route="{route}",status="{status}"}} '
    return sum(
        float(line.removeprefix(sample)) for line in text.splitlines() if line.startswith(sample)
    )


def scrape(live: LiveServer) -> str:
    """Ask a worker, whichever it is."""
    with live.client() as client:  # one of its own, so that it may be another worker
        return client.get("/metrics").raise_for_status().text


def send(live: LiveServer, count: int, path: str = "/health") -> None:
    """Send requests, each over a connection of its own."""
    for _ in range(count):
        assert live.exchange(
            f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )


def wait_for_workers(live: LiveServer, old: set[int], count: int = 3) -> None:
    """Wait until as many workers as there should be are there, and none of the old ones."""
    end = time.monotonic() + 60
    while old & set(workers(live)) or len(workers(live)) != count:
        assert time.monotonic() < end, live.log
        time.sleep(0.1)


def test_every_worker_shows_what_all_have_counted(metered: LiveServer) -> None:
    """Whichever worker is asked, the sum must be that of all."""
    before = answered(metered, "/", 200)
    send(metered, REQUESTS, "/")

    assert [answered(metered, "/", 200) for _ in range(10)] == [before + REQUESTS] * 10


def test_a_worker_that_is_killed_takes_nothing_along(metered: LiveServer) -> None:
    """A counter must never go backwards, nor may files pile up."""
    send(metered, REQUESTS)
    for _ in range(3):
        before = answered(metered, "/health", 200)
        killed = workers(metered)[0]
        os.kill(killed, signal.SIGKILL)
        wait_for_workers(metered, {killed})

        assert answered(metered, "/health", 200) == before
        send(metered, 5)
        assert answered(metered, "/health", 200) == before + 5
    # two of each worker that was ever asked; which, is the system's choice
    assert {file.name for file in folder_of(metered).iterdir()} <= {
        f"{kind}_{number}.db" for kind in ("counter", "histogram") for number in (1, 2, 3)
    }


def test_a_reload_goes_on_counting(metered: LiveServer) -> None:
    """New workers beside the old ones must count in files of their own."""
    send(metered, REQUESTS)
    before = answered(metered, "/health", 200)
    old = set(workers(metered))
    metered.process.send_signal(signal.SIGHUP)
    wait_for_workers(metered, old)
    send(metered, 5)

    assert answered(metered, "/health", 200) == before + 5
    assert len(list(folder_of(metered).iterdir())) <= 2 * 2 * 3


def test_statements_and_refusals_of_all_workers_are_counted(metered: LiveServer) -> None:
    """The database's time and the reasons must come out of every worker, too."""
    with metered.client("alice") as client:
        for _ in range(REQUESTS):
            assert client.get("/api/alice/tasks").status_code == 200
    send(metered, REQUESTS, "/api/alice/tasks")

    text = scrape(metered)
    statements = re.search(r"^database_statement_duration_seconds_count (\S+)$", text, re.MULTILINE)
    assert statements
    assert float(statements[1]) >= REQUESTS
    assert f'authentication_failures_total{{reason="missing_token"}} {REQUESTS}.0' in text


def test_a_flood_adds_no_labels(metered: LiveServer) -> None:
    """Nothing of a request may become a label, and no token be shown."""
    send(metered, 1, "/flood")
    before = {line.rpartition(" ")[0] for line in scrape(metered).splitlines()}
    for number in range(REQUESTS):
        send(metered, 1, f"/flood{number}/{mint()}?a={number}")
        with socket.create_connection(("127.0.0.1", metered.port), timeout=30) as wire:
            wire.sendall(
                f"FLOOD{number} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
            )
            assert wire.recv(65536)
    added = {line.rpartition(" ")[0] for line in scrape(metered).splitlines()} - before

    assert added <= {'http_requests_total{method="other",route="/",status="405"}'}
    assert mint().partition(".")[0] not in scrape(metered)


def test_a_server_without_metrics_has_none(server: LiveServer) -> None:
    """By default the path must be none."""
    with server.client() as client:
        answer = client.get("/metrics")

    assert (answer.status_code, answer.json()["detail"]) == (404, "Not Found")


def test_a_folder_that_is_named_is_used_and_kept(project: Path, tmp_path: Path) -> None:
    """Who names a folder must find the files in it."""
    folder = tmp_path / "kept"
    folder.mkdir()
    write_env(project, f"sqlite:///{tmp_path / 'live.sqlite3'}")
    variables = {"METRICS": "true", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with serving(project, tmp_path / "server.log", **variables) as live:
        assert answered(live, "/health", 200) >= 1

    assert list(folder.glob("counter_*.db"))
