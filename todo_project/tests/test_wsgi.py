"""The WSGI application: database connections, signal receivers, charsets and routes."""

import io
import json
import sys
from itertools import product
from types import ModuleType
from typing import Any
from unittest.mock import Mock
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.servers.basehttp import get_internal_wsgi_application
from django.core.signals import request_finished
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, path, resolve
from pytest_django.fixtures import Settings

from tasks.views import TaskViewSet
from todo_project.tests.database_connections import ask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load the application that gunicorn and `runserver` use."""
    # django.setup() would remove pytest's log handlers.
    monkeypatch.setattr("django.setup", lambda **options: None)
    return get_internal_wsgi_application()


def call(application: Any, **environ: Any) -> tuple[str, Any]:
    """Send a request; return the status and the response."""
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = application(environ, lambda status, headers: statuses.append(status))
    return statuses[0], response


@pytest.mark.postgresql
@pytest.mark.parametrize("error", [None, RuntimeError], ids=["success", "fault"])
def test_the_connection_is_released_before_the_response_is_sent(
    application: Any,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception] | None,
) -> None:
    """A client that reads slowly must not hold a database connection."""
    used = []

    def view(request: HttpRequest) -> HttpResponse:
        ask("SELECT 1")
        used.append(connection.connection is not None)
        if error:
            raise error
        return HttpResponse()

    urls = ModuleType("querying_urls")
    urls.__dict__["urlpatterns"] = [path("query", view)]
    monkeypatch.setitem(sys.modules, "querying_urls", urls)
    settings.ROOT_URLCONF = "querying_urls"

    status, _ = call(application, PATH_INFO="/query")

    assert (status[:3], used) == ("500" if error else "200", [True])
    assert connection.connection is None


@pytest.mark.usefixtures("application")
def test_unneeded_receivers_are_disconnected() -> None:
    """``request_finished`` must not call receivers that this application does not need."""
    assert not request_finished.disconnect(close_caches)
    assert not request_finished.disconnect(reset_urlconf)


def test_a_charset_changes_nothing(application: Any) -> None:
    """The charset of a body must neither apply to the query nor cause an error."""
    requests = [
        ("GET", "/", "200 OK"),
        ("GET", "/health", "200 OK"),
        ("GET", "/api/alice/tasks", "401 Unauthorized"),
        ("POST", "/admin/login/", "403 Forbidden"),
    ]
    forms = {
        "application/x-www-form-urlencoded": b"a=b",
        "multipart/form-data; boundary=x": b"--x--",
    }
    charsets = ["rot13", "hex", "punycode", "latin-1", "utf-16"]
    found, expected = {}, {}
    for request, form, charset in product(requests, forms, charsets):
        method, sent, expected[request, form, charset] = request
        found[request, form, charset], body = call(
            application,
            REQUEST_METHOD=method,
            PATH_INFO=sent,
            QUERY_STRING="limit=1",
            CONTENT_TYPE=f"{form}; charset={charset}",
            CONTENT_LENGTH=str(len(forms[form])),
            HTTP_COOKIE=f"csrftoken={32 * 'a'}",
            **{"wsgi.input": io.BytesIO(forms[form])},
        )
        assert b"".join(body)

    assert found == expected


PATHS = [
    *("/api/alice/tasks", "/api/alice/tasks/", "/api/alice/tasks/1", "/api/alice/tasks/1/"),
    *("/api/alice/tasks/1/complete", "/api/alice/tasks/1/complete/", "/api/alice/tasks/complete"),
    *("/api/a b/tasks", "/api/alice/tasks\n", "/api//tasks", "/api/alice/tasks//", "/api/", "/api"),
    *("//api/alice/tasks", "/API/alice/tasks", "api/alice/tasks", "xapi/alice/tasks", "*", "", "/"),
]


def test_a_path_of_the_api_leads_to_the_view_that_djangos_resolver_finds(application: Any) -> None:
    """The view, its arguments and the route must be the same."""
    found, expected = {}, {}
    for sent in PATHS:
        _, response = call(application, PATH_INFO=sent)
        request = response._resource_closers[-1].__self__  # noqa: SLF001 - the only reference
        match = request.resolver_match
        found[sent] = match and (match.func, match.kwargs, match.route)
        try:
            match = resolve(sent or "/")
        except Resolver404:
            match = None
        expected[sent] = match and (match.func, match.kwargs, match.route)

    assert found == expected
    assert sum(match is not None for match in found.values()) == 10


def test_a_fault_outside_the_views_dispatch_is_the_contracts_500(
    application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must be answered as a fault of any other page is (docs/contract.md, "Errors")."""
    monkeypatch.setattr(TaskViewSet, "dispatch", Mock(side_effect=RuntimeError("internals")))

    status, response = call(application, PATH_INFO="/api/alice/tasks")

    assert status == "500 Internal Server Error"
    assert json.loads(response.content)["detail"] == "Internal server error"


class RefusingMiddleware:
    """A middleware that refuses each view."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Call the next middleware."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse:
        """Refuse the view."""
        return HttpResponse(status=418)


def test_view_middleware_applies_to_the_api(settings: Settings, application: Any) -> None:
    """A middleware that somebody adds must not be skipped."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.RefusingMiddleware"]

    status, _ = call(type(application)(), PATH_INFO="/api/alice/tasks")

    assert status[:3] == "418"
