"""The metrics at ``/metrics`` (SC-006, SC-009)."""

import runpy
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from conftest import ApiClient, mint
from todo_project.configuration.environment import BASE_DIR
from todo_project.metrics import measure_connections
from todo_project.tests.settings_loader import load

TASKS = "/api/alice/tasks"
LIST = "/api/{user_id}/tasks"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def _metered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the metrics, as METRICS does at startup."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    settings.METRICS = True
    urls = ModuleType("metered_urls")
    urls.__dict__.update(runpy.run_path(str(BASE_DIR / "todo_project" / "urls.py")))
    monkeypatch.setitem(sys.modules, "metered_urls", urls)
    settings.ROOT_URLCONF = "metered_urls"
    settings.MIDDLEWARE = ["todo_project.metrics.metrics_middleware", *settings.MIDDLEWARE]


def scrape() -> dict[Sample, float]:
    """Return the samples that Prometheus would get."""
    text = ApiClient().get("/metrics").content.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def increase(work: Callable[[], Any], name: str, **labels: str) -> float:
    """Return how much the work adds to a sample."""
    sample = (name, frozenset(labels.items()))
    before = scrape().get(sample, 0.0)
    work()
    return scrape()[sample] - before


def test_without_metrics_the_path_is_unknown(anonymous: ApiClient) -> None:
    """The metrics must not be public by default."""
    for method in ("GET", "POST"):
        response = anonymous.generic(method, "/metrics")
        assert (response.status_code, response.json()["detail"]) == (404, "Not Found"), method


def test_a_variable_enables_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without METRICS no request may pass through the middleware."""
    found = {}
    for value in ("", "false", "true"):
        loaded = load(monkeypatch, METRICS=value)
        is_installed = "todo_project.metrics.metrics_middleware" in loaded["MIDDLEWARE"]
        found[value] = loaded["METRICS"], is_installed

    assert found == {"": (False, False), "false": (False, False), "true": (True, True)}


@pytest.mark.django_db
@pytest.mark.usefixtures("_metered")
def test_requests_are_counted_and_timed_by_route(alice: ApiClient) -> None:
    """Requests must be counted by method, route and status, and timed by route.

    The goals must be bucket bounds (SC-006).
    """

    def work() -> None:
        alice.send("GET", TASKS)
        alice.send("GET", f"{TASKS}/")

    name = "http_request_duration_seconds"
    assert increase(work, "http_requests_total", method="GET", route=LIST, status="200") == 2
    assert increase(work, f"{name}_count", route=LIST) == 2
    buckets = {dict(labels).get("le") for sample, labels in scrape() if sample == f"{name}_bucket"}
    assert {"0.5", "4.5", "+Inf"} <= buckets


@pytest.mark.usefixtures("_metered")
def test_refusals_are_counted_by_reason() -> None:
    """An attack on tokens must be visible (SC-009)."""
    refusals = {
        "missing_token": (TASKS, None),
        "expired": (TASKS, mint(exp=1)),
        "user_mismatch": ("/api/bob/tasks", mint()),
    }
    for reason, (path, token) in refusals.items():
        work = partial(ApiClient(token=token).get, path)
        assert increase(work, "authentication_failures_total", reason=reason) == 1, reason


@pytest.mark.django_db
@pytest.mark.usefixtures("_metered")
def test_each_statement_is_timed(alice: ApiClient) -> None:
    """The time of each statement must be measured; an endpoint executes one."""
    name = "database_statement_duration_seconds_count"

    assert increase(lambda: alice.send("GET", TASKS), name) == 1
    assert increase(lambda: alice.send("GET", "/health"), name) == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_metered")
def test_the_connections_are_measured() -> None:
    """The gauges must have the current values, also when these fall."""
    names = ("database_connections_in_use", "database_connections_awaited")
    connection.close()
    measure_connections(0)
    before = [scrape()[name, frozenset()] for name in names]
    connection.ensure_connection()
    measure_connections(3)
    during = [scrape()[name, frozenset()] for name in names]
    connection.close()
    measure_connections(0)

    assert (before, during) == ([0, 0], [1, 3])
    assert [scrape()[name, frozenset()] for name in names] == [0, 0]


@pytest.mark.usefixtures("_metered")
def test_a_client_cannot_invent_labels(anonymous: ApiClient) -> None:
    """A flood of paths and methods must not fill Prometheus's memory."""
    anonymous.generic("BREW", "/flood")
    anonymous.get("/flood")
    before = set(scrape())
    for _ in range(50):
        invented = uuid.uuid4().hex
        anonymous.generic(
            f"X{invented.upper()}", f"/{invented}?{invented}", headers={"Host": invented}
        )
        anonymous.get(f"/{invented}", headers={"X-Request-ID": invented, "User-Agent": invented})

    assert {labels for _, labels in set(scrape()) - before} <= {
        frozenset({("method", method), ("route", "none"), ("status", status)})
        for method in ("other", "GET")
        for status in ("400", "404")
    }


@pytest.mark.usefixtures("_metered")
def test_the_format_follows_the_accept_header(anonymous: ApiClient) -> None:
    """The response must have the content type that Prometheus prefers, and the usual headers."""
    types = {"": "text/plain", "text/html": "text/plain", OPENMETRICS: OPENMETRICS.split(";")[0]}
    found = {}
    for accept in types:
        response = anonymous.send("GET", "/metrics", Accept=accept)
        content_type = response["Content-Type"].split(";")[0]
        has_headers = response["Cache-Control"] == "no-store" and "X-Request-ID" in response
        is_complete = response["Content-Length"] == str(len(response.content))
        is_open = response.content.endswith(b"# EOF\n")
        found[accept] = response.status_code, content_type, is_open, has_headers, is_complete

    assert found == {
        accept: (200, content_type, accept == OPENMETRICS, True, True)
        for accept, content_type in types.items()
    }


@pytest.mark.usefixtures("_metered")
def test_metrics_are_read_only(anonymous: ApiClient) -> None:
    """Any method but GET and HEAD must get the contract's 405."""
    response = anonymous.post("/metrics")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response.json()["detail"] == "Method Not Allowed"
    assert anonymous.head("/metrics").content == b""


@pytest.mark.usefixtures("_metered")
def test_the_shared_folder_of_the_workers_is_read(
    anonymous: ApiClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The response must have the counters in the folder, not those of this process."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    assert b"http_requests" not in anonymous.get("/metrics").content
