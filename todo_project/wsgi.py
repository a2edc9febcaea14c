"""The WSGI application: ``gunicorn todo_project.wsgi``."""

import os
import threading
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest, get_script_name
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, reset_queries
from django.urls import set_script_prefix
from django.utils.log import log_response

from todo_project.configuration.root_path import strip_prefix

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")


class Request(WSGIRequest):
    """A request whose query is always decoded as UTF-8.

    Django would decode it in the charset of the body, before any middleware runs, and fail with a
    charset such as ``rot13``.
    """

    @property
    def encoding(self) -> str:
        """The encoding of the query and the form."""
        return "utf-8"

    @encoding.setter
    def encoding(self, value: str) -> None:
        """Ignore the charset of the body."""


class ThreadLocals(threading.local):
    """The database connection of a thread, which Django looks up in 8 µs."""

    def __init__(self) -> None:
        self.connection = connections[DEFAULT_DB_ALIAS]


class Handler(WSGIHandler):
    """Django's handler, which releases the database connection before the response is sent.

    Django releases it only after the client has read the response, so slow clients could hold
    every connection. A streamed admin response releases its connection itself
    (``staff/pages.py``).

    Skips ``set_script_prefix()`` and ``set_urlconf()``; the defaults apply. Calls the API's views
    without Django's resolver, whose two results for each path take as long as a token.
    """

    def __init__(self) -> None:
        super().__init__()
        self._api_routes = import_module("tasks.urls").urlpatterns  # needs the applications

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Handle a request."""
        if settings.ROOT_PATH:
            strip_prefix(settings.ROOT_PATH, environ)
        if prefix := get_script_name(environ):  # the same for all requests of a process
            set_script_prefix(prefix)
        request_started.send(sender=Handler, environ=environ)
        request = Request(environ)
        try:
            response: Any = self._middleware_chain(request)  # type: ignore[attr-defined]  # no stub
        finally:
            thread_locals.connection.close_if_unusable_or_obsolete()
        response._handler_class = Handler  # noqa: SLF001 - as Django does, here and in the next line
        response._resource_closers.append(request.close)  # noqa: SLF001
        if response.status_code >= 400:
            words = response.reason_phrase, request.path
            log_response("%s: %s", *words, response=response, request=request)
        cookies = [("Set-Cookie", each.OutputString()) for each in response.cookies.values()]
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, [*response.items(), *cookies])
        return response

    def _get_response(self, request: Any) -> Any:
        """Call the view of a path of the API; leave any other path to Django.

        Django would also apply view middleware, so that one of these disables this shortcut, and
        ``ATOMIC_REQUESTS``, which no database here sets.
        """
        path = request.path_info
        if path.startswith("/api/") and not self._view_middleware:  # type: ignore[attr-defined]
            for route in self._api_routes:
                if match := route.resolve(path[1:]):
                    request.resolver_match = match
                    return match.func(request, **match.kwargs)
        return super()._get_response(request)  # type: ignore[misc]  # no stub


django.setup(set_prefix=False)
# Saves 40 µs of a 280 µs request: the handler releases the connection, the cache is in memory,
# no request has its own URLconf, and only DEBUG logs queries.
for receiver in (close_old_connections, *(() if settings.DEBUG else (reset_queries,))):
    request_started.disconnect(receiver)
for receiver in (close_old_connections, close_caches, reset_urlconf):
    request_finished.disconnect(receiver)

thread_locals = ThreadLocals()
application = Handler()
