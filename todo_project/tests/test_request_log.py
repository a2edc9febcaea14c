"""The line of each request (issue "Documents, logs, metrics, deployment", logs)."""

import io
import json
import logging
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import ResolverMatch

from conftest import FRONT_END, ApiClient, mint
from tasks.views import TaskViewSet
from todo_project.request_log import route_template

TASKS = "/api/alice/tasks"
TASK = f"{TASKS}/5"
NO_ROUTE = None


def only_line(log: io.StringIO) -> dict[str, Any]:
    """Return the fields of the one line that was written."""
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert isinstance(line, dict)
    return line


@pytest.mark.django_db
def test_a_line_has_these_fields(alice: ApiClient, log: io.StringIO) -> None:
    """What an operator searches by must be in the line, each in a field of its own."""
    alice.send("GET", TASKS, **{"X-Request-ID": "mine"})

    line = only_line(log)
    assert isinstance(line.pop("duration_ms"), float)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "todo_project.access",
        "request_id": "mine",
        "method": "GET",
        "route": "/api/{user_id}/tasks",
        "status": 200,
        "user_id": "alice",
        "reason": None,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "route"),
    [
        ("GET", TASKS, {}, 200, "/api/{user_id}/tasks"),
        ("GET", f"{TASKS}/", {}, 200, "/api/{user_id}/tasks"),
        ("HEAD", TASKS, {}, 200, "/api/{user_id}/tasks"),
        ("OPTIONS", TASKS, {}, 405, "/api/{user_id}/tasks"),
        ("DELETE", TASK, {}, 404, "/api/{user_id}/tasks/{task_id}"),
        ("PATCH", f"{TASK}/complete", {}, 404, "/api/{user_id}/tasks/{task_id}/complete"),
        ("GET", "/health", {}, 200, "/health"),
        ("GET", "/", {}, 200, "/"),
        ("GET", "/admin/tasks/task/5/change/", {}, 302, "/admin/tasks/task/{object_id}/change/"),
        ("GET", "/static/none.css", {}, 404, "/static/"),
        ("GET", "/nowhere", {}, 404, NO_ROUTE),
        ("GET", "/health", {"Host": "a b"}, 400, NO_ROUTE),
        (
            "OPTIONS",
            TASKS,
            {"Origin": FRONT_END, "Access-Control-Request-Method": "PUT"},
            200,
            NO_ROUTE,
        ),
    ],
)
def test_every_request_has_one_line_with_its_route(
    alice: ApiClient,
    log: io.StringIO,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    route: str | None,
) -> None:
    """Whatever is asked must be counted, and not by what stands in its path."""
    alice.generic(method, path, headers=headers)

    line = only_line(log)
    assert (line["method"], line["route"], line["status"]) == (method, route, status)


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
    """A 500 must be counted like any other answer."""

    def view(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(TaskViewSet, "list", view)
    alice.send("GET", TASKS)

    line = json.loads(log.getvalue().splitlines()[-1])
    assert (line["status"], line["route"]) == (500, "/api/{user_id}/tasks")


@pytest.mark.parametrize(
    "path",
    [
        "/a%0AINFO%0D%1B%E2%80%A8forged",
        "/health?token=a-secret-forged",
        "/api/alice%0Aforged/tasks?forged",
        f"/api/{mint()}forged/tasks",
    ],
)
def test_nothing_of_a_path_or_a_query_is_in_the_line(
    anybody: ApiClient, log: io.StringIO, path: str
) -> None:
    """What somebody puts there, a line break or a token, must not be logged (FR-017)."""
    anybody.get(path)

    assert only_line(log)["method"] == "GET"
    assert "forged" not in log.getvalue()


def test_a_token_in_the_place_of_a_users_id_is_not_logged(
    alice: ApiClient, log: io.StringIO
) -> None:
    """The one part of a path that is logged must not show a token (FR-017)."""
    token = mint("bob")
    alice.send("GET", f"/api/{token}/tasks")

    assert only_line(log)["path_user_id"] == "***"


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


def test_a_method_that_is_made_up_is_not_logged(anybody: ApiClient, log: io.StringIO) -> None:
    """A client may put anything in its place."""
    anybody.generic("SECRET", "/health")

    assert "SECRET" not in log.getvalue()
    assert '"method":"other"' in log.getvalue()
