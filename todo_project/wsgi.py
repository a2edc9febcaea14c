"""The WSGI application: ``gunicorn todo_project.wsgi``."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Let Django answer, and leave the database to others before the answer is sent.

    Django does that when the client has read all of it, which may take a slow one as long as it
    likes.
    """
    response: Iterable[bytes] = _django(environ, start_response)
    close_old_connections()
    return response
