"""The line that each request has in the log, and its id (SC-009, FR-017)."""

import io
import json
import logging
import re
from typing import Any
from unittest.mock import Mock

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import ResolverMatch

from conftest import FRONT_END, ApiClient, mint
from tasks.views import TaskViewSet
from todo_project.logs.requests import route_template

TASKS = "/api/alice/tasks"
TASK = f"{TASKS}/5"
LIST = "/api/{user_id}/tasks"
TASK_ROUTE = "/api/{user_id}/tasks/{task_id}"
NO_ROUTE = None
PREFLIGHT = {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"}
NAME = "X-Request-ID"
FRESH = re.compile(r"[0-9a-f]{32}")
ACCEPTED = ["a", "Z", "0", "-", "_", ".", "A-b_c.9", "x" * 128]
REPLACED = [
    *("", "x" * 129, "a b", " ", "a/b", "a,b", "a:b", "a\n", "a\r\nb", "\x00", "ä", "\u0663"),
    *("<a>", "%41"),
]
REQUESTS: list[tuple[str, str, dict[str, str], int, str | None, str | None]] = [
    ("GET", TASKS, {}, 200, LIST, None),
    ("GET", f"{TASKS}/", {}, 200, LIST, None),
    ("HEAD", TASKS, {}, 200, LIST, None),
    ("POST", TASKS, {}, 400, LIST, None),
    ("GET", TASKS, {"Authorization": ""}, 401, LIST, "missing_token"),
    ("GET", TASKS, {"Authorization": "Bearer x"}, 401, LIST, "malformed"),
    ("GET", "/api/bob/tasks", {}, 403, LIST, "user_mismatch"),
    ("PUT", TASKS, {}, 405, LIST, None),
    ("OPTIONS", TASKS, {}, 405, LIST, None),
    ("GET", TASK, {}, 404, TASK_ROUTE, None),
    ("DELETE", TASK, {}, 404, TASK_ROUTE, None),
    ("PATCH", f"{TASK}/complete", {}, 404, f"{TASK_ROUTE}/complete", None),
    ("GET", "/health", {}, 200, "/health", None),
    ("GET", "/", {}, 200, "/", None),
    ("GET", "/admin/tasks/task/5/change/", {}, 302, "/admin/tasks/task/{object_id}/change/", None),
    ("GET", "/static/none.css", {}, 404, "/static/", None),
    ("GET", "/nowhere", {}, 404, NO_ROUTE, None),
    ("GET", "/a%2Fb", {}, 404, NO_ROUTE, None),
    ("GET", "/health", {"Host": "a b"}, 400, NO_ROUTE, None),
    ("OPTIONS", TASKS, PREFLIGHT, 200, NO_ROUTE, None),
]


def test_an_id_of_the_accepted_form_is_kept(anybody: ApiClient) -> None:
    """1 to 128 characters of ``A-Za-z0-9._-`` must come back; no other may reach the log."""
    sent = [*ACCEPTED, *REPLACED]
    found = {each: anybody.send("GET", "/health", **{NAME: each})[NAME] for each in sent}

    assert [each for each in ACCEPTED if found[each] != each] == []
    assert [each for each in REPLACED if not FRESH.fullmatch(found[each])] == []


def test_a_request_without_an_id_gets_a_fresh_one_each_time(anybody: ApiClient) -> None:
    """Two requests must not share an id."""
    assert len({anybody.get("/health")[NAME] for _ in range(10)}) == 10


def test_a_line_outside_of_a_request_has_no_id(anybody: ApiClient, log: io.StringIO) -> None:
    """A line must not carry the id of a request that is over."""
    anybody.send("GET", "/health", **{NAME: "over"})
    logging.getLogger("todo_project").info("afterwards")

    line = json.loads(log.getvalue().splitlines()[-1])
    assert (line["message"], line["request_id"]) == ("afterwards", None)


def only_line(log: io.StringIO) -> dict[str, Any]:
    """Return the fields of the one line that was written."""
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert isinstance(line, dict)
    return line


@pytest.mark.django_db
def test_a_line_has_these_fields(alice: ApiClient, log: io.StringIO) -> None:
    """What an operator searches by must be in the line, each in a field of its own."""
    alice.send("GET", TASKS, **{NAME: "mine"})

    line = only_line(log)
    assert isinstance(line.pop("duration_ms"), float)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "todo_project.access",
        "request_id": "mine",
        "method": "GET",
        "route": LIST,
        "status": 200,
        "user_id": "alice",
        "reason": None,
    }


@pytest.mark.django_db
def test_every_request_has_one_line_with_its_id_and_route(
    alice: ApiClient, log: io.StringIO
) -> None:
    """Whatever is asked must be counted, not by what its path holds, and be found by its id."""
    found = []
    for number, (method, path, headers, *_) in enumerate(REQUESTS):
        sent = {**headers, NAME: f"request-{number}"}
        answer = alice.generic(method, path, headers=sent, RAW_URI=path)
        found.append((method, path, answer.status_code, answer[NAME]))

    expected = [
        (method, path, status, f"request-{number}", route, reason)
        for number, (method, path, _, status, route, reason) in enumerate(REQUESTS)
    ]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert found == [row[:4] for row in expected]
    assert [
        (line["method"], line["status"], line["request_id"], line["route"], line["reason"])
        for line in lines
    ] == [(method, *rest) for method, _, *rest in expected]


@pytest.mark.django_db
def test_a_refusal_is_logged_where_only_warnings_are(alice: ApiClient, log: io.StringIO) -> None:
    """Failures must be seen with LOG_LEVEL=WARNING, too, and the rest not (SC-009)."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.WARNING)
    alice.send("GET", TASKS)
    alice.send("GET", "/api/bob/tasks")
    root.setLevel(level)

    assert only_line(log)["reason"] == "user_mismatch"


def test_a_page_of_staff_names_no_user(admin_client: ApiClient, log: io.StringIO) -> None:
    """A member of staff is no user of the API."""
    admin_client.get("/admin/")

    assert only_line(log)["user_id"] is None


def test_a_fault_has_a_line_too(
    alice: ApiClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 500 must be counted like any other answer, and its cause be found by its id."""
    monkeypatch.setattr(TaskViewSet, "list", Mock(side_effect=RuntimeError))

    answer = alice.send("GET", TASKS)

    fault, request = (json.loads(line) for line in log.getvalue().splitlines())
    assert fault["exc_info"].startswith("Traceback")
    assert fault["request_id"] == request["request_id"] == answer[NAME]
    assert (request["status"], request["route"]) == (500, LIST)


def test_nothing_of_a_path_or_a_query_is_in_the_line(alice: ApiClient, log: io.StringIO) -> None:
    """What a client puts there, a line break or a token, must not be logged (FR-017)."""
    paths = ["/a%0AINFO%0D%1B%E2%80%A8forged", "/health?token=a-secret-forged"]
    for path in (*paths, "/api/alice/tasks/forged?forged", f"/api/{mint('bob')}/tasks"):
        alice.get(path)
    alice.generic("FORGED", "/health")

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["method"] for line in lines] == ["GET"] * 4 + ["other"]
    assert lines[3]["path_user_id"] == "***"
    assert "forged" not in log.getvalue().lower()


def test_what_nobody_is_signed_in_for_names_no_user(anybody: ApiClient, log: io.StringIO) -> None:
    """The user of the path must not be logged where no token proves who asks (FR-017)."""
    for path in ("/api/alice%0Aforged/tasks?forged", f"/api/{mint()}forged/tasks"):
        anybody.get(path)

    assert "forged" not in log.getvalue()


def routes(resolver: URLResolver, before: str = "") -> list[str]:
    """Collect the patterns of all routes."""
    found = []
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        found += routes(each, route) if isinstance(each, URLResolver) else [route]
        assert isinstance(each, (URLResolver, URLPattern))
    return found


def test_no_template_has_anything_of_a_pattern(rf: Any) -> None:
    """A route must be worded as a path, wherever it comes from."""
    every = routes(get_resolver())
    request = rf.get("/")
    for route in every:
        request.resolver_match = ResolverMatch(lambda: None, (), {}, route=route)

        template = route_template(request)

        assert template is not None
        assert template.startswith("/")
        assert not set(template) & set("^$?*+()[]<>\\|"), template
    assert len(every) > 20
