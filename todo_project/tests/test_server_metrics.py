"""Metrics of several workers that are killed and replaced."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from todo_project.tests.live_server import LiveServer, deploying

REQUESTS = 40

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not Path("/proc/self/task").is_dir(), reason="finds the workers in /proc, as on Linux"
    ),
]


@pytest.fixture(scope="module")
def metered(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve with metrics and three workers; afterwards their folder must be gone."""
    with deploying(tmp_path_factory.mktemp("metered"), template) as deployed:
        with deployed.serving(METRICS="true", WEB_CONCURRENCY="3") as live:
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


def answered(live: LiveServer, route: str, status: int) -> float:
    """Read how many requests were counted."""
    text = scrape(live)
    sample = f'http_requests_total{{method="GET",route="{route}",status="{status}"}} '
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
    """Whichever worker is asked, the sum must be that of all, statements and refusals too."""
    before = answered(metered, "/", 200)
    send(metered, REQUESTS, "/")
    send(metered, REQUESTS, "/api/alice/tasks")
    for _ in range(REQUESTS):
        with metered.client("alice") as client:
            assert client.get("/api/alice/tasks").status_code == 200

    text = scrape(metered)
    statements = re.search(r"^database_statement_duration_seconds_count (\S+)$", text, re.MULTILINE)
    assert [answered(metered, "/", 200) for _ in range(10)] == [before + REQUESTS] * 10
    assert statements
    assert float(statements[1]) >= REQUESTS
    assert f'authentication_failures_total{{reason="missing_token"}} {REQUESTS}.0' in text


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


def test_a_folder_that_is_named_is_used_and_kept(tmp_path: Path) -> None:
    """Who names a folder must find the files in it."""
    folder = tmp_path / "kept"
    folder.mkdir()
    variables = {"METRICS": "true", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with deploying(tmp_path) as deployed, deployed.serving(**variables) as live:
        assert answered(live, "/health", 200) >= 1

    assert list(folder.glob("counter_*.db"))
