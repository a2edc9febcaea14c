"""The WSGI application, and what it lets go of."""

import io
from typing import Any
from unittest.mock import Mock
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.servers.basehttp import get_internal_wsgi_application
from django.http import StreamingHttpResponse


@pytest.fixture(autouse=True)
def _set_up_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Django from setting itself up again: that would take pytest's handlers off the log."""
    monkeypatch.setattr("django.setup", lambda **options: None)


@pytest.mark.django_db(transaction=True)
def test_the_wsgi_application_answers() -> None:
    """What gunicorn is told to serve must be this project."""
    environ: dict[str, Any] = {"PATH_INFO": "/health"}
    setup_testing_defaults(environ)
    start_response = Mock()

    body = get_internal_wsgi_application()(environ, start_response)

    assert start_response.call_args.args[0] == "200 OK"
    assert b'"healthy"' in b"".join(body)


@pytest.mark.django_db
def test_a_stream_lets_go_of_its_connection_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What uses the database while it is sent must leave it to others, also if the client goes."""
    from todo_project import wsgi

    closings: list[int] = []
    streamed = StreamingHttpResponse(iter([b"x"]))
    monkeypatch.setattr(wsgi.application, "_middleware_chain", lambda request: streamed)
    connection = Mock(close_if_unusable_or_obsolete=lambda: closings.append(1))
    monkeypatch.setattr(wsgi, "thread", Mock(connection=connection))
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)

    response = wsgi.application(environ, Mock())
    assert len(closings) == 1
    response.close()

    assert len(closings) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["rot13", "hex", "punycode", "latin-1", "utf-16"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", "200 OK"),
        ("GET", "/api/alice/tasks", "401 Unauthorized"),
        ("POST", "/admin/login/", "403 Forbidden"),
    ],
)
def test_a_charset_changes_nothing(method: str, path: str, status: str, charset: str) -> None:
    """A body's charset must not decide how the rest is read, nor let a fault out."""
    from todo_project.wsgi import application

    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "limit=1",
        "CONTENT_TYPE": f"application/x-www-form-urlencoded; charset={charset}",
        "CONTENT_LENGTH": "3",
        "HTTP_COOKIE": f"csrftoken={32 * 'a'}",
        "wsgi.input": io.BytesIO(b"a=b"),
    }
    setup_testing_defaults(environ)
    start_response = Mock()

    b"".join(application(environ, start_response))

    assert start_response.call_args.args[0] == status
