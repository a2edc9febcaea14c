"""Sessions, messages, security headers and error pages for the admin's views.

The middleware wraps these views instead of being in ``MIDDLEWARE``, so that API requests do not
run it.

Source: docs/decisions/0011-admin-outside-middleware.md.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.exception import response_for_exception
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from django.utils.decorators import decorator_from_middleware
from django.utils.log import log_response

from todo_project.deadlines import database_deadline, restart_deadline
from todo_project.exceptions import RETRY_AFTER_SECONDS

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
# The database deadline of a login, which includes the deliberately slow password check
LOGIN_SECONDS = 20.0
# The database deadline of actions on many tasks, which only signed-in staff can run
ACTION_SECONDS = 600.0

View = Callable[..., HttpResponseBase]


def staff_page(view: View) -> View:
    """Wrap a view with session, user, messages, security headers and error pages.

    There is deliberately no CSRF protection here: Django's admin protects each of its views itself.

    Source: docs/contract.md, "Errors" (503).
    """
    chain: View = _render(view)
    for middleware in (MessageMiddleware, AuthenticationMiddleware, SessionMiddleware):
        chain = decorator_from_middleware(middleware)(chain)

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = chain(request, *args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            response = HttpResponse(
                render_to_string("503.html"),
                status=503,
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
            log_response(
                "The database cannot be used", response=response, request=request, exception=error
            )
        except Exception as error:  # noqa: BLE001 - Django logs it and returns a response
            response = response_for_exception(request, error)
            if settings.DEBUG:  # Django's debug page, whose inline styles the policy would block
                return response
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = _with_deadlines(iter(response))
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return wrapper


def with_deadline(seconds: float) -> Callable[[View], View]:
    """Set another database deadline for a view's POST requests.

    The usual deadline restarts after the view, so that the session can still be saved.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            with database_deadline(seconds):
                response = view(request, *args, **kwargs)
            restart_deadline()
            return response

        return wrapper

    return decorate


def _render(view: View) -> View:
    """Render inside the middleware: templates use the session, and can fail just as views can."""

    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return wrapper


def _with_deadlines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give each chunk a deadline, and return the connection to the pool before the chunk is sent.

    The request's own deadline ends before the stream begins, and a slow client may take hours.
    """
    while True:
        try:
            with database_deadline():
                chunk = next(chunks, None)
        finally:
            if not connection.in_atomic_block:
                close_old_connections()
        if chunk is None:
            return
        yield chunk
