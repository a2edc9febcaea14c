"""Prometheus metrics. Imported only if ``METRICS`` is on.

Each label has few values, none of which a client can invent.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from todo_project.deadlines import DATABASE_SECONDS
from todo_project.logs.requests import known_method, route_template
from todo_project.postgresql.base import connections_in_use

# Seconds; includes the goal of 0.5 (SC-006) and the 6 within which a client gets a 503.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, DATABASE_SECONDS, 6.0)

registry = CollectorRegistry()
requests = Counter(
    "http_requests",
    "Requests answered.",
    ["method", "route", "status"],
    registry=registry,
)
durations = Histogram(
    "http_request_duration_seconds",
    "Time to produce the response.",
    ["route"],
    buckets=BUCKETS,
    registry=registry,
)
failures = Counter(
    "authentication_failures",
    "401 and 403 responses, by the reason in the log.",
    ["reason"],
    registry=registry,
)
statements = Histogram(
    "database_statement_duration_seconds",
    "Time of each database statement of a request.",
    buckets=BUCKETS,
    registry=registry,
)
# A worker that has ended leaves these sums (`child_exit` in gunicorn.conf.py).
in_use = Gauge(
    "database_connections_in_use",
    "Database connections that requests are using.",
    multiprocess_mode="livesum",
    registry=registry,
)
awaited = Gauge(
    "database_connections_awaited",
    "Requests that wait until another one has finished.",
    multiprocess_mode="livesum",
    registry=registry,
)


def metrics_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count and time each response, and time the database statements of its request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        with connection.execute_wrapper(_timed):
            response = get_response(request)
        route = route_template(request) or "none"
        requests.labels(known_method(request), route, response.status_code).inc()
        durations.labels(route).observe(time.perf_counter() - started)
        if reason := getattr(response, "reason_code", None):
            failures.labels(reason).inc()
        return response

    return middleware


def measure_connections(waiting: int) -> None:
    """Set the gauges. Each worker calls this once a second: a request costs nothing more.

    Args:
        waiting: how many requests wait for another one to finish.
    """
    in_use.set(connections_in_use())
    awaited.set(waiting)


def metrics(request: HttpRequest) -> HttpResponseBase:
    """Return the metrics of all workers, in the format negotiated by ``Accept``."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    collected = registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # set by gunicorn.conf.py
        collected = CollectorRegistry()
        MultiProcessCollector(collected)  # type: ignore[no-untyped-call]
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(collected), content_type)


def _timed(execute: Callable[..., Any], *statement: Any) -> Any:
    started = time.perf_counter()
    try:
        return execute(*statement)
    finally:
        statements.observe(time.perf_counter() - started)
