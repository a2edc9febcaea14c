"""The rate limit, ``THROTTLE_RATE`` (docs/contract.md, "Errors")."""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from time_machine import travel

from authn.principals import Principal
from authn.throttling import PerUserThrottle
from conftest import FRONT_END, ApiClient
from tasks.tests.factories import rows
from tasks.views import TaskViewSet
from todo_project.tests.settings_loader import load

TASKS = "/api/alice/tasks"
LIMIT = 3
REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", TASKS, None),
    ("HEAD", TASKS, None),
    ("POST", TASKS, {"title": "One too many"}),
    ("PUT", f"{TASKS}/1", {}),
    ("PATCH", f"{TASKS}/1/complete", None),
    ("DELETE", f"{TASKS}/1", None),
    ("POST", TASKS, "{"),
    ("PATCH", TASKS, None),
]
INVALID_RATES = [
    *["100", "0/minute", "-1/minute", "100/month", "100/min", "1.5/hour", "x"],
    *["1 / day", "٣/day"],
]
REQUEST: Any = SimpleNamespace(user=Principal("alice"))
VIEW: Any = None
BODY = {"detail": "Too many requests", "error": "Too many requests"}


@pytest.fixture
def limit(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limit each user to three requests per minute, as ``THROTTLE_RATE`` does."""
    cache.clear()
    monkeypatch.setattr(TaskViewSet, "throttle_classes", [PerUserThrottle])
    monkeypatch.setattr(PerUserThrottle, "THROTTLE_RATES", {"user": f"{LIMIT}/minute"})
    yield
    cache.clear()


def use_up(client: ApiClient) -> None:
    """Send all requests that the limit allows."""
    assert [client.send("GET", TASKS).status_code for _ in range(LIMIT)] == [200] * LIMIT


@pytest.mark.usefixtures("limit")
def test_a_request_over_the_limit_is_refused(alice: ApiClient) -> None:
    """A 429 must take precedence over errors in the method or body, and change nothing."""
    use_up(alice)

    responses = [alice.send(*request, Origin=FRONT_END) for request in REQUESTS]

    assert {
        (response.status_code, response["Cache-Control"], response["Access-Control-Allow-Origin"])
        for response in responses
    } == {(429, "no-store", FRONT_END)}
    bodies = [
        json.loads(response.content or "null")
        for (method, *_), response in zip(REQUESTS, responses, strict=True)
        if method != "HEAD"
    ]
    assert bodies == [BODY] * (len(REQUESTS) - 1)
    assert all(1 <= int(response["Retry-After"]) <= 60 for response in responses)
    assert rows() == []


@pytest.mark.usefixtures("limit")
def test_each_user_has_a_separate_limit() -> None:
    """One user's requests must not count towards another's limit, whatever the user id."""
    users = ["alice", "bob", "a b", "ключ", "x" * 255, "a:b\x7f", "😀"]

    statuses = {
        user: [client.send("GET", f"/api/{user}/tasks").status_code for _ in range(LIMIT + 1)]
        for user in users
        if (client := ApiClient(user))
    }

    assert statuses == {user: [200] * LIMIT + [429] for user in users}


@pytest.mark.usefixtures("limit")
def test_only_requests_that_pass_authentication_and_permission_count(
    alice: ApiClient, bob: ApiClient, anonymous: ApiClient
) -> None:
    """Requests refused with 401 or 403, health checks and preflights must not count."""
    preflight = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
    for _ in range(LIMIT + 1):
        assert anonymous.send("GET", TASKS).status_code == 401
        assert bob.send("GET", TASKS).status_code == 403
        assert anonymous.send("GET", "/health").status_code == 200
        assert anonymous.send("OPTIONS", TASKS, **preflight).status_code == 200

    use_up(alice)
    assert bob.send("GET", "/api/bob/tasks").status_code == 200


@pytest.mark.usefixtures("limit")
def test_a_request_after_retry_after_is_accepted() -> None:
    """A client that waits as long as ``Retry-After`` says must be served."""
    with travel("2026-01-06T15:30:00Z", tick=False) as clock:
        alice = ApiClient("alice")
        use_up(alice)
        clock.shift(20.5)
        response = alice.send("GET", TASKS)
        assert (response.status_code, response["Retry-After"]) == (429, "40")
        clock.shift(40)
        assert alice.send("GET", TASKS).status_code == 200


def in_any_period(times: list[float]) -> int:
    """Return the largest number of the given times in any minute."""
    return max(sum(at <= each < at + 60 for each in times) for at in times)


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("pause", [0.0, 0.4, 0.9, 7.0, 19.9])
def test_the_limit_holds_in_any_period(pause: float) -> None:
    """No period may have more than the limit, also across the end of a refusal.

    A refused request must not prolong the refusal; waiting for ``Retry-After`` ends it.
    """
    accepted: list[float] = []
    with travel("2026-01-06T15:30:00Z", tick=False) as clock:
        alice, start = ApiClient("alice"), time.time()
        for number in range(60):
            response = alice.send("GET", TASKS)
            if response.status_code == 200:
                accepted.append(time.time() - start)
                clock.shift(pause)
            elif number % 2:
                until = 61 + accepted[-LIMIT]  # a sixtieth of the period longer than necessary
                assert time.time() - start + int(response["Retry-After"]) <= until + 1
                clock.shift(int(response["Retry-After"]))
                assert alice.send("GET", TASKS).status_code == 200
                accepted.append(time.time() - start)

    assert in_any_period(accepted) == LIMIT


@pytest.mark.usefixtures("limit")
def test_a_refused_request_does_not_count() -> None:
    """A client that goes on during a refusal must be accepted as soon as one that waits."""
    with travel("2026-01-06T15:30:00Z", tick=False) as clock:
        alice = ApiClient("alice")
        use_up(alice)
        statuses = []
        for _ in range(60):
            clock.shift(1)
            statuses.append(alice.send("GET", TASKS).status_code)

    assert statuses == [429] * 59 + [200]


@pytest.mark.usefixtures("limit")
def test_the_counters_of_a_user_do_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time and memory of a request must not depend on the number of requests."""
    monkeypatch.setattr(PerUserThrottle, "THROTTLE_RATES", {"user": "1000/minute"})
    with travel("2026-01-06T15:30:00Z", tick=False) as clock:
        for _ in range(1000):
            assert PerUserThrottle().allow_request(REQUEST, VIEW)
            clock.shift(0.06)
        counters = cache.get(PerUserThrottle().get_cache_key(REQUEST, VIEW))

    assert len(counters) <= 61


@pytest.mark.usefixtures("limit")
def test_simultaneous_requests_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of simultaneous requests exactly as many as the limit must be accepted."""
    monkeypatch.setattr(PerUserThrottle, "THROTTLE_RATES", {"user": "300/hour"})
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # switch threads between any two steps
    try:
        with ThreadPoolExecutor(8) as threads:
            allowed = list(
                threads.map(lambda _: PerUserThrottle().allow_request(REQUEST, VIEW), range(600))
            )
    finally:
        sys.setswitchinterval(interval)

    assert sum(allowed) == 300


@pytest.mark.django_db
def test_there_is_no_limit_by_default(alice: ApiClient) -> None:
    """Without ``THROTTLE_RATE`` no request may be throttled."""
    assert TaskViewSet.throttle_classes == []
    assert {alice.send("GET", TASKS).status_code for _ in range(50)} == {200}


def test_a_rate_turns_the_limit_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """``THROTTLE_RATE`` must reach DRF's throttles (FR-020)."""
    rates = ["1/second", "100/minute", "5000/hour", "100000/day"]

    loaded = [load(monkeypatch, THROTTLE_RATE=rate)["REST_FRAMEWORK"] for rate in rates]

    assert [each["DEFAULT_THROTTLE_RATES"]["user"] for each in loaded] == rates
    throttles = [each["DEFAULT_THROTTLE_CLASSES"] for each in loaded]
    assert throttles == [["authn.throttling.PerUserThrottle"]] * len(rates)


def test_an_invalid_rate_is_refused(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """The message must name the variable; DRF would read ``100/month`` as per minute."""
    for rate in INVALID_RATES:
        with (
            subtests.test(rate=rate),
            pytest.raises(ImproperlyConfigured, match=r"^THROTTLE_RATE must be"),
        ):
            load(monkeypatch, THROTTLE_RATE=rate)
