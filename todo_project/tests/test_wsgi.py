"""The WSGI application, and when it gives its connection back."""

import io
import sys
from itertools import product
from types import ModuleType
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path
from pytest_django.fixtures import Settings

from todo_project.tests.database_connections import ask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load what gunicorn and `runserver` serve."""
    # which would take pytest's handlers off the log
    monkeypatch.setattr("django.setup", lambda **options: None)
    return get_internal_wsgi_application()


def call(application: Any, **environ: Any) -> tuple[str, Any]:
    """Send a request; return the answer's status and the answer."""
    setup_testing_defaults(environ)
    statuses: list[str] = []
    answer = application(environ, lambda status, headers: statuses.append(status))
    return statuses[0], answer


@pytest.mark.postgresql
def test_a_stream_gives_its_connection_back_in_the_end(
    application: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view's connection must be free before the answer is sent, a stream's when it is closed."""

    def view(request: HttpRequest) -> StreamingHttpResponse:
        ask("SELECT 1")
        return StreamingHttpResponse(str(ask("SELECT 1")) for _ in range(2))

    urls = ModuleType("streaming_urls")
    urls.__dict__["urlpatterns"] = [path("stream", view)]
    monkeypatch.setitem(sys.modules, "streaming_urls", urls)
    settings.ROOT_URLCONF = "streaming_urls"

    _, stream = call(application, PATH_INFO="/stream")
    free = [connection.connection is None]
    part = next(iter(stream))
    free.append(connection.connection is None)
    stream.close()  # although the client has not read all of it

    assert (part, *free, connection.connection is None) == (b"1", True, False, True)


def test_a_charset_changes_nothing(application: Any) -> None:
    """A body's charset must not decide how the rest is read, nor let a fault out."""
    requests = [
        ("GET", "/", "200 OK"),
        ("GET", "/health", "200 OK"),
        ("GET", "/api/alice/tasks", "401 Unauthorized"),
        ("POST", "/admin/login/", "403 Forbidden"),
    ]
    found, expected = {}, {}
    for request, charset in product(requests, ["rot13", "hex", "punycode", "latin-1", "utf-16"]):
        method, sent, expected[request, charset] = request
        found[request, charset], body = call(
            application,
            REQUEST_METHOD=method,
            PATH_INFO=sent,
            QUERY_STRING="limit=1",
            CONTENT_TYPE=f"application/x-www-form-urlencoded; charset={charset}",
            CONTENT_LENGTH="3",
            HTTP_COOKIE=f"csrftoken={32 * 'a'}",
            **{"wsgi.input": io.BytesIO(b"a=b")},
        )
        assert b"".join(body)

    assert found == expected
