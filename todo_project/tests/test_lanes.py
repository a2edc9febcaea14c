"""Lanes: a number of requests at a time, the rest in order."""

from collections import deque
from typing import Any

from todo_project.server.lanes import Lane, Lanes


def test_a_lane_lets_its_size_in() -> None:
    """Places must be given in order of arrival, and again after each request."""
    lane: Any = Lane(2)
    lane.waiting.extend("abcd")

    assert [lane.enter() for _ in range(3)] == ["a", "b", None]
    lane.leave()
    assert [lane.enter(), lane.enter()] == ["c", None]


def test_a_place_is_not_lost_in_a_race() -> None:
    """A thread that finds its connection taken must give its place back."""

    class Emptied(deque[Any]):
        def popleft(self) -> Any:
            self.clear()  # as if another thread had been faster
            return super().popleft()

    lane: Any = Lane(1)
    lane.waiting = Emptied("a")

    assert lane.enter() is None
    lane.waiting = deque("b")
    assert lane.enter() == "b"


def test_the_requests_that_wait_are_counted() -> None:
    """The number must include every lane."""
    lanes: Any = Lanes("")
    for lane in lanes.all:
        lane.waiting.extend("ab")

    assert lanes.count_waiting() == 6


def test_the_lane_of_a_path() -> None:
    """The admin must have its own lane, and so must probes, with and without the prefix."""
    for lanes, prefix in ((Lanes(""), ""), (Lanes("/todo"), "/todo"), (Lanes("/todo"), "")):
        probes, api, staff = lanes.all
        expected = {
            "/health": probes,
            "/health/": probes,
            "/metrics": probes,
            "/metrics/": probes,
            "/health/ready": api,
            "/healthy": api,
            "/metrics/a": api,
            "/api/a/tasks": api,
            "/admin": api,  # only redirects
            "/admin/": staff,
            "/admin/login/": staff,
            "/administer": api,
            "": api,
            "*": api,
        }
        assert {path: lanes.of(prefix + path) for path in expected} == expected
