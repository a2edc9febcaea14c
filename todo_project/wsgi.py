"""The WSGI application: ``gunicorn todo_project.wsgi``."""

import os
import threading
from typing import Any

import django
from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest, get_script_name
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, reset_queries
from django.http import StreamingHttpResponse
from django.urls import set_script_prefix
from django.utils.http import parse_header_parameters
from django.utils.log import log_response

from todo_project.configuration.root_path import take_off

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")


class Request(WSGIRequest):
    """A request in UTF-8, which is all that a browser or a JSON client sends.

    Django takes the charset of a body for that of the query too, and reads it before anything here
    runs: with ``rot13`` that fails.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        content_type = meta.get("CONTENT_TYPE", "")
        self.content_type, self.content_params = parse_header_parameters(content_type)


class Thread(threading.local):
    """A thread's connection to the database; Django looks for it in 8 µs each time."""

    def __init__(self) -> None:
        self.connection = connections[DEFAULT_DB_ALIAS]


class Handler(WSGIHandler):
    """Answers as Django's does, and leaves the database to others before the answer is sent.

    Django does that when the client has read all of it, which may take a slow one as long as it
    likes. And it tells each request where paths and routes begin, which here is what Django takes
    for granted: 15 µs of a 401.
    """

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request."""
        if settings.ROOT_PATH:
            take_off(settings.ROOT_PATH, environ)
        if prefix := get_script_name(environ):  # the same for all of a process
            set_script_prefix(prefix)
        request_started.send(sender=Handler, environ=environ)
        request = Request(environ)
        try:
            response: Any = self._middleware_chain(request)  # type: ignore[attr-defined]  # no stub
        finally:
            thread.connection.close_if_unusable_or_obsolete()
        response._handler_class = Handler  # noqa: SLF001 - as Django does, here and in the next line
        closers = response._resource_closers  # noqa: SLF001
        closers.append(request.close)
        if isinstance(response, StreamingHttpResponse):  # uses the database while it is sent
            closers.append(thread.connection.close_if_unusable_or_obsolete)
        if response.status_code >= 400:
            words = response.reason_phrase, request.path
            log_response("%s: %s", *words, response=response, request=request)
        cookies = [("Set-Cookie", each.OutputString()) for each in response.cookies.values()]
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, [*response.items(), *cookies])
        return response


django.setup(set_prefix=False)
# What Django does around each request, and need not: connections are let go of above, once; no
# cache here has to be closed; no request has routes of its own; only DEBUG keeps its statements.
# Saves 35 µs.
for receiver in (close_old_connections, *(() if settings.DEBUG else (reset_queries,))):
    request_started.disconnect(receiver)
request_finished.disconnect(close_old_connections)
request_finished.disconnect(close_caches)
request_finished.disconnect(reset_urlconf)

thread = Thread()
application = Handler()
