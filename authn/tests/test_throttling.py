"""``THROTTLE_RATE`` (contract.md "Errors", 429)."""

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

pytestmark = pytest.mark.django_db

TASKS = "/api/alice/tasks"
CALLS = 3


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
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
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("HEAD", "", None),
        ("POST", "", {"title": "One too many"}),
        ("PUT", "/1", {}),
        ("PATCH", "/1/complete", None),
        ("DELETE", "/1", None),
        ("POST", "", "{"),
        ("PATCH", "", None),
    ],
)
def test_a_call_too_many_is_refused(alice: ApiClient, method: str, path: str, body: Any) -> None:
    """It must be a 429 that changes nothing, before anything is read of the request."""
    use_up(alice)

    answer = alice.send(method, f"{TASKS}{path}", body, Origin=FRONT_END)

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert (answer["Cache-Control"], answer["Access-Control-Allow-Origin"]) == (
        "no-store",
        FRONT_END,
    )
    if method != "HEAD":
        assert answer.json() == {"detail": "Too many requests", "error": "Too many requests"}
    assert rows() == []


@pytest.mark.usefixtures("limit")
def test_each_user_has_a_limit_of_their_own(alice: ApiClient, bob: ApiClient) -> None:
    """One user must not use up what another may call."""
    use_up(alice)

    assert alice.send("GET", TASKS).status_code == 429
    assert bob.send("GET", "/api/bob/tasks").status_code == 200


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("user", ["a b", "ключ", "x" * 255, "a:b\x7f", "😀"])
def test_any_users_calls_are_counted(user: str) -> None:
    """An id may hold what no cache takes in a key."""
    client, path = ApiClient(user), "/api/{}/tasks"

    answers = [client.send("GET", path.format(user)).status_code for _ in range(CALLS + 1)]

    assert answers == [200] * CALLS + [429]


@pytest.mark.usefixtures("limit")
def test_who_is_refused_anyway_is_told_so(alice: ApiClient, bob: ApiClient) -> None:
    """401 and 403 must come before the 429, and use up nobody's calls."""
    for _ in range(CALLS + 1):
        assert ApiClient().send("GET", TASKS).status_code == 401
        assert bob.send("GET", TASKS).status_code == 403

    use_up(alice)
    assert bob.send("GET", "/api/bob/tasks").status_code == 200


@pytest.mark.usefixtures("limit")
def test_what_needs_no_token_has_no_limit(anybody: ApiClient) -> None:
    """A balancer's question and a browser's must always be answered."""
    for _ in range(CALLS + 1):
        assert anybody.send("GET", "/health").status_code == 200
        preflight = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
        assert anybody.send("OPTIONS", TASKS, **preflight).status_code == 200


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


def test_without_a_rate_there_is_no_limit(alice: ApiClient) -> None:
    """It must be off by default."""
    assert TaskViewSet.throttle_classes == []
    assert {alice.send("GET", TASKS).status_code for _ in range(50)} == {200}


@pytest.mark.parametrize("rate", ["1/second", "100/minute", "5000/hour", "100000/day"])
def test_a_rate_turns_the_limit_on(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    """``THROTTLE_RATE`` must reach DRF's throttles (FR-020)."""
    framework = load(monkeypatch, THROTTLE_RATE=rate)["REST_FRAMEWORK"]

    assert framework["DEFAULT_THROTTLE_CLASSES"] == ["authn.throttling.PerUserThrottle"]
    assert framework["DEFAULT_THROTTLE_RATES"] == {"user": rate}


@pytest.mark.parametrize(
    "rate",
    ["100", "0/minute", "-1/minute", "100/month", "100/min", "1.5/hour", "x", "1 / day", "٣/day"],
)
def test_a_rate_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    """DRF would take ``100/month`` for a minute; the message must name the variable."""
    with pytest.raises(ImproperlyConfigured, match=r"^THROTTLE_RATE must be"):
        load(monkeypatch, THROTTLE_RATE=rate)
