"""The WSGI application: ``gunicorn todo_project.wsgi``."""

import os
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, reset_queries

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


django_application = get_wsgi_application()
django_application.request_class = Request

# Saves 40 µs of a 280 µs request: application() releases the connection, the cache is in memory,
# no request has its own URLconf, and only DEBUG logs queries.
for receiver in (close_old_connections, *(() if settings.DEBUG else (reset_queries,))):
    request_started.disconnect(receiver)
for receiver in (close_old_connections, close_caches, reset_urlconf):
    request_finished.disconnect(receiver)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Handle a request, and release its database connection before the response is sent.

    Django would release it only after the client has read the response, so slow clients could hold
    every connection. A streamed admin response releases its connection itself
    (``staff/pages.py``).
    """
    if settings.ROOT_PATH:
        strip_prefix(settings.ROOT_PATH, environ)
    try:
        return django_application(environ, start_response)
    finally:
        connection.close_if_unusable_or_obsolete()
