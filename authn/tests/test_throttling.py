"""``THROTTLE_RATE`` (docs/contract.md, "Errors", 429)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from time_machine import travel

from authn.throttling import PerUserThrottle
from conftest import FRONT_END, ApiClient
from tasks.tests.factories import rows
from tasks.views import TaskViewSet
from todo_project.tests.settings_loader import load

TASKS = "/api/alice/tasks"
CALLS = 3
TOO_MANY: list[tuple[str, str, Any]] = [
    ("GET", TASKS, None),
    ("HEAD", TASKS, None),
    ("POST", TASKS, {"title": "One too many"}),
    ("PUT", f"{TASKS}/1", {}),
    ("PATCH", f"{TASKS}/1/complete", None),
    ("DELETE", f"{TASKS}/1", None),
    ("POST", TASKS, "{"),
    ("PATCH", TASKS, None),
]
NO_RATES = [
    *["100", "0/minute", "-1/minute", "100/month", "100/min", "1.5/hour", "x"],
    *["1 / day", "٣/day"],
]
BODY = {"detail": "Too many requests", "error": "Too many requests"}


@pytest.fixture
def limit(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each user call three times a minute, as the settings would with ``THROTTLE_RATE``."""
    cache.clear()
    monkeypatch.setattr(TaskViewSet, "throttle_classes", [PerUserThrottle])
    monkeypatch.setattr(PerUserThrottle, "THROTTLE_RATES", {"user": f"{CALLS}/minute"})
    yield
    cache.clear()


def use_up(client: ApiClient) -> None:
    """Call as often as is allowed."""
    assert [client.send("GET", TASKS).status_code for _ in range(CALLS)] == [200] * CALLS


@pytest.mark.usefixtures("limit")
def test_a_call_too_many_is_refused(alice: ApiClient) -> None:
    """It must be a 429 that changes nothing, before anything is read of the request."""
    use_up(alice)

    answers = [alice.send(*call, Origin=FRONT_END) for call in TOO_MANY]

    assert {
        (answer.status_code, answer["Cache-Control"], answer["Access-Control-Allow-Origin"])
        for answer in answers
    } == {(429, "no-store", FRONT_END)}
    bodies = [
        json.loads(answer.content or "null")
        for (method, *_), answer in zip(TOO_MANY, answers, strict=True)
        if method != "HEAD"
    ]
    assert bodies == [BODY] * (len(TOO_MANY) - 1)
    assert all(1 <= int(answer["Retry-After"]) <= 60 for answer in answers)
    assert rows() == []


@pytest.mark.usefixtures("limit")
def test_each_user_has_a_limit_of_their_own() -> None:
    """One user must not use up what another may call, whatever an id holds."""
    users = ["alice", "bob", "a b", "ключ", "x" * 255, "a:b\x7f", "😀"]

    answers = {
        user: [client.send("GET", f"/api/{user}/tasks").status_code for _ in range(CALLS + 1)]
        for user in users
        if (client := ApiClient(user))
    }

    assert answers == {user: [200] * CALLS + [429] for user in users}


@pytest.mark.usefixtures("limit")
def test_what_is_refused_anyway_or_needs_no_token_is_not_counted(
    alice: ApiClient, bob: ApiClient, anybody: ApiClient
) -> None:
    """401 and 403 must come before the 429; a balancer and a browser always get an answer."""
    preflight = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
    for _ in range(CALLS + 1):
        assert anybody.send("GET", TASKS).status_code == 401
        assert bob.send("GET", TASKS).status_code == 403
        assert anybody.send("GET", "/health").status_code == 200
        assert anybody.send("OPTIONS", TASKS, **preflight).status_code == 200

    use_up(alice)
    assert bob.send("GET", "/api/bob/tasks").status_code == 200


@pytest.mark.usefixtures("limit")
def test_after_the_time_that_was_named_a_call_is_let_through() -> None:
    """``Retry-After`` must be a promise."""
    with travel("2026-01-06T15:30:00Z", tick=False) as clock:
        alice = ApiClient("alice")
        use_up(alice)
        clock.shift(20.5)
        answer = alice.send("GET", TASKS)
        assert (answer.status_code, answer["Retry-After"]) == (429, "40")
        clock.shift(40)
        assert alice.send("GET", TASKS).status_code == 200


@pytest.mark.django_db
def test_without_a_rate_there_is_no_limit(alice: ApiClient) -> None:
    """It must be off by default."""
    assert TaskViewSet.throttle_classes == []
    assert {alice.send("GET", TASKS).status_code for _ in range(50)} == {200}


def test_a_rate_turns_the_limit_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """``THROTTLE_RATE`` must reach DRF's throttles (FR-020)."""
    rates = ["1/second", "100/minute", "5000/hour", "100000/day"]

    loaded = [load(monkeypatch, THROTTLE_RATE=rate)["REST_FRAMEWORK"] for rate in rates]

    assert [each["DEFAULT_THROTTLE_RATES"]["user"] for each in loaded] == rates
    throttles = [each["DEFAULT_THROTTLE_CLASSES"] for each in loaded]
    assert throttles == [["authn.throttling.PerUserThrottle"]] * len(rates)


def test_a_rate_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """DRF would take ``100/month`` for a minute; the message must name the variable."""
    for rate in NO_RATES:
        with (
            subtests.test(rate=rate),
            pytest.raises(ImproperlyConfigured, match=r"^THROTTLE_RATE must be"),
        ):
            load(monkeypatch, THROTTLE_RATE=rate)
