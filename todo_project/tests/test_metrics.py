"""What `/metrics` shows (SC-006, SC-009)."""

import runpy
import sys
import uuid
from collections.abc import Callable, Iterator
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
from todo_project.tests.settings_loader import load

TASKS = "/api/alice/tasks"
LIST = "/api/{user_id}/tasks"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def _metered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Turn the metrics on, as METRICS does at a start."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    settings.METRICS = True
    urls = ModuleType("metered_urls")
    urls.__dict__.update(runpy.run_path(str(BASE_DIR / "todo_project" / "urls.py")))
    monkeypatch.setitem(sys.modules, "metered_urls", urls)
    settings.ROOT_URLCONF = "metered_urls"
    settings.MIDDLEWARE = ["todo_project.metrics.metrics_middleware", *settings.MIDDLEWARE]
    wrappers = list(connection.execute_wrappers)
    yield
    connection.execute_wrappers[:] = wrappers


def shown() -> dict[Sample, float]:
    """Read what Prometheus would read."""
    text = ApiClient().get("/metrics").content.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def increase(work: Callable[[], Any], name: str, **labels: str) -> float:
    """Return by how much work has moved a sample."""
    sample = (name, frozenset(labels.items()))
    before = shown().get(sample, 0.0)
    work()
    return shown()[sample] - before


def test_without_metrics_there_is_no_such_path(anybody: ApiClient) -> None:
    """Nobody must see them who was not meant to."""
    for method in ("GET", "POST"):
        answer = anybody.generic(method, "/metrics")
        assert (answer.status_code, answer.json()["detail"]) == (404, "Not Found"), method


def test_a_variable_turns_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request must not even pass by where nobody measures."""
    found = {}
    for value in ("", "false", "true"):
        loaded = load(monkeypatch, METRICS=value)
        is_passed = "todo_project.metrics.metrics_middleware" in loaded["MIDDLEWARE"]
        found[value] = loaded["METRICS"], is_passed

    assert found == {"": (False, False), "false": (False, False), "true": (True, True)}


@pytest.mark.django_db
@pytest.mark.usefixtures("_metered")
def test_requests_are_counted_and_timed_by_route(alice: ApiClient) -> None:
    """Counts must name method, route and status, and no user; limits hold the goals (SC-006)."""

    def work() -> None:
        alice.send("GET", TASKS)
        alice.send("GET", f"{TASKS}/")

    name = "http_request_duration_seconds"
    assert increase(work, "http_requests_total", method="GET", route=LIST, status="200") == 2
    assert increase(work, f"{name}_count", route=LIST) == 2
    limits = {dict(labels).get("le") for sample, labels in shown() if sample == f"{name}_bucket"}
    assert {"0.5", "4.5", "+Inf"} <= limits


@pytest.mark.usefixtures("_metered")
def test_refusals_are_counted_by_reason() -> None:
    """Somebody who tries tokens must be seen (SC-009)."""
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
    """The database's share of a request must be shown; an endpoint runs one statement."""
    name = "database_statement_duration_seconds_count"

    assert increase(lambda: alice.send("GET", TASKS), name) == 1
    assert increase(lambda: alice.send("GET", "/health"), name) == 0


@pytest.mark.usefixtures("_metered")
def test_what_a_client_makes_up_is_no_label(anybody: ApiClient) -> None:
    """A flood of paths and methods must not fill the memory of whoever stores it."""
    anybody.generic("BREW", "/flood")
    anybody.get("/flood")
    before = set(shown())
    for _ in range(50):
        made_up = uuid.uuid4().hex
        anybody.generic(f"X{made_up.upper()}", f"/{made_up}?{made_up}", headers={"Host": made_up})
        anybody.get(f"/{made_up}", headers={"X-Request-ID": made_up, "User-Agent": made_up})

    assert {labels for _, labels in set(shown()) - before} <= {
        frozenset({("method", method), ("route", "none"), ("status", status)})
        for method in ("other", "GET")
        for status in ("400", "404")
    }


@pytest.mark.usefixtures("_metered")
def test_the_format_is_the_one_that_is_asked_for(anybody: ApiClient) -> None:
    """Prometheus must get the type that it prefers; every answer has what all have."""
    kinds = {"": "text/plain", "text/html": "text/plain", OPENMETRICS: OPENMETRICS.split(";")[0]}
    found = {}
    for accept in kinds:
        answer = anybody.send("GET", "/metrics", Accept=accept)
        kind = answer["Content-Type"].split(";")[0]
        has_all = answer["Cache-Control"] == "no-store" and answer.has_header("X-Request-ID")
        is_whole = answer["Content-Length"] == str(len(answer.content))
        is_open = answer.content.endswith(b"# EOF\n")
        found[accept] = answer.status_code, kind, is_open, has_all, is_whole

    assert found == {
        accept: (200, kind, accept == OPENMETRICS, True, True) for accept, kind in kinds.items()
    }


@pytest.mark.usefixtures("_metered")
def test_metrics_are_only_read(anybody: ApiClient) -> None:
    """Another method must be a 405 in the contract's words."""
    answer = anybody.post("/metrics")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["detail"] == "Method Not Allowed"
    assert anybody.head("/metrics").content == b""


@pytest.mark.usefixtures("_metered")
def test_where_workers_share_a_folder_it_is_read(
    anybody: ApiClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With several workers, what this one has counted by itself must not be shown."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    assert b"http_requests" not in anybody.get("/metrics").content
