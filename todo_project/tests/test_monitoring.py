"""The dashboard and the alerts in ``examples/``, read by Prometheus's own programs."""

import json
import math
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import IN_CI, mint
from todo_project import metrics
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import (
    START_SECONDS,
    STOP_SECONDS,
    LiveServer,
    await_listener,
    deploying,
    free_port,
)
from todo_project.tests.waiting import wait_until

EXAMPLES = BASE_DIR / "examples"
DASHBOARD = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
OPERATIONS = (BASE_DIR / "docs" / "operations.md").read_text()
[DOCUMENTED] = re.findall(r"^```yaml\n(# prometheus\.yml\n.*?)^```$", OPERATIONS, re.M | re.S)
RULES = yaml.safe_load((EXAMPLES / "alerts.yml").read_text())["groups"][0]["rules"]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
COLUMNS = 24  # of a dashboard
TASKS = "/api/alice/tasks"
# The comparison of an alert: without it, the query has a result also when all is well.
LIMIT = re.compile(r" (>|==) [\d.]+\n?\Z")
WINDOW = re.compile(r"\[(\d+)m\]")
# Of a `rate()`: two are needed, one may fail, and a window is not aligned with the scrapes.
SCRAPES = 4
METRIC = re.compile(r"\b(?!by\b)([a-z]\w*)[{[]")

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")) and not IN_CI,
    reason="prometheus is not installed (in CI, this fails)",
)


def promtool(*arguments: str | Path) -> None:
    """Run promtool, which must succeed."""
    done = subprocess.run(
        ["promtool", *arguments],  # noqa: S607 - where it is depends on the system
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def scraping(folder: Path, service: LiveServer) -> Iterator[LiveServer]:
    """Run Prometheus with the documented configuration, but for the address and the times."""
    configuration = folder / "prometheus.yml"
    shutil.copy(EXAMPLES / "alerts.yml", folder)
    configuration.write_text(DOCUMENTED)
    promtool("check", "config", configuration)
    configuration.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        + DOCUMENTED.replace("10.0.0.5:8000", f"127.0.0.1:{service.port}")
    )
    port, log = free_port(), folder / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [  # noqa: S607 - as above
                "prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = LiveServer(port, process, log)
    try:
        await_listener(server)
        yield server
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def values(prometheus: LiveServer, query: str) -> list[float]:
    """Return the values of an expression at this moment."""
    expression = query.replace("$job", "todo").replace("$__rate_interval", "20s")
    with prometheus.client() as client:
        answer = client.get("/api/v1/query", params={"query": expression})
    assert answer.is_success, answer.text
    return [float(series["value"][1]) for series in answer.json()["data"]["result"]]


def work(service: LiveServer) -> None:
    """Send requests of each kind that the queries look at."""
    with service.client("alice") as client:
        assert client.get(TASKS).status_code == 200
        forged = client.get(TASKS, headers={"Authorization": f"Bearer {mint(secret='x' * 32)}"})
        assert forged.status_code == 401


def test_the_panels_fill_the_dashboard() -> None:
    """No panel may cover another or reach beyond the edge; none may be a gap."""
    cells: Counter[Any] = Counter()
    for panel in DASHBOARD["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells.update(product(range(x, x + w), range(y, y + h)))
    height = 1 + max(y for _, y in cells)

    assert cells == dict.fromkeys(product(range(COLUMNS), range(height)), 1)


def test_a_panel_says_what_it_shows() -> None:
    """Each must have a title of its own, a text, a unit, and the chosen source of its data."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    sources = [
        each["datasource"] for panel in DASHBOARD["panels"] for each in (panel, *panel["targets"])
    ]

    assert len(PANELS) == len({panel["id"] for panel in DASHBOARD["panels"]}) == 10
    assert all(panel["description"] for panel in DASHBOARD["panels"])
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in DASHBOARD["panels"])
    assert [each for each in sources if each != source] == []


def test_every_metric_is_shown() -> None:
    """The dashboard must use each metric, and neither it nor the alerts any other."""
    shown, watched = (
        {re.sub(r"_(total|bucket)\Z", "", name) for name in METRIC.findall(" ".join(queries))}
        for queries in (QUERIES, [rule["expr"] for rule in RULES])
    )
    known = {each.name for each in metrics.registry.collect()}

    assert shown == known
    assert watched <= known | {"up"}


def test_every_alert_has_a_row() -> None:
    """The page on operations must list exactly the alerts."""
    rows = re.findall(r"^\| `(Todo\w+)` \|", OPERATIONS, re.MULTILINE)

    assert rows == [rule["alert"] for rule in RULES]


def test_a_window_holds_enough_scrapes() -> None:
    """With the documented configuration, Prometheus must scrape each minute, its default."""
    windows = [int(minutes) for rule in RULES for minutes in WINDOW.findall(rule["expr"])]

    assert "_interval" not in DOCUMENTED
    assert len(windows) == sum(rule["expr"].count("[") for rule in RULES)
    assert min(windows) >= SCRAPES


@pytest.mark.live
@needs_prometheus
def test_the_alerts_fire_when_they_should() -> None:
    """Each must fire after its time, and not for what is usual."""
    promtool("check", "rules", EXAMPLES / "alerts.yml")
    promtool("test", "rules", EXAMPLES / "tests" / "alerts_test.yml")


@pytest.mark.live
@needs_prometheus
def test_every_query_has_a_result(tmp_path: Path) -> None:
    """A Prometheus that scrapes a real server must find data for each panel and each alert."""
    queries = [*QUERIES, *(LIMIT.sub("", rule["expr"]) for rule in RULES)]
    with (
        deploying(tmp_path) as deployed,
        deployed.serving(METRICS="true") as service,
        scraping(tmp_path, service) as prometheus,
    ):
        with service.client() as client:  # for the queries that count errors
            assert client.get("/health/ready").status_code == 503
        assert deployed.manage("migrate", "--verbosity=0").returncode == 0
        deployed.query("ALTER TABLE task RENAME COLUMN title TO other")
        with service.client("alice") as client:
            assert client.get(TASKS).status_code == 500
        deployed.query("ALTER TABLE task RENAME COLUMN other TO title")

        def empty() -> list[str]:
            work(service)
            found = {query: values(prometheus, query) for query in queries}
            return [query for query, result in found.items() if not any(map(math.isfinite, result))]

        wait_until(lambda: not empty(), log=lambda: f"{empty()} {prometheus.log}")
        assert [values(prometheus, rule["expr"]) for rule in RULES if "up{" in rule["expr"]] == [[]]
        with prometheus.client() as client:
            [group] = client.get("/api/v1/rules").json()["data"]["groups"]

    assert {rule["name"]: rule["health"] for rule in group["rules"]} == {
        rule["alert"]: "ok" for rule in RULES
    }
