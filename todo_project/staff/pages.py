"""Sessions, messages, headers and errors of the pages for people.

They are put around the pages' views and not into ``MIDDLEWARE``, so that a request of the API runs
none of them.
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
from django.utils.cache import patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.utils.log import log_response

from todo_project.deadlines import begin_deadline_anew, database_deadline
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
# What a log-in may take: while a password is checked, which is slow on purpose, the time runs.
LOG_IN_SECONDS = 20.0
# What a change of many tasks at once may take. Only who is signed in can wait that long.
ACTION_SECONDS = 600.0

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Give a view a session, its user, messages, security headers, and a page for an outage.

    CSRF is not among them: Django's admin protects each of its views itself.

    Source: issue "Staff and operators", the admin; docs/contract.md, "Errors" (503).
    """
    chain: View = _rendered(view)
    for middleware in (MessageMiddleware, AuthenticationMiddleware, SessionMiddleware):
        chain = decorator_from_middleware(middleware)(chain)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
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
        except Exception as error:  # noqa: BLE001 - Django's own log of it and answer to it
            response = response_for_exception(request, error)
            if settings.DEBUG:  # a page for developers, with its styles and scripts inside
                return response
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = _parts(iter(response))
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        patch_vary_headers(response, ["Origin"])
        return response

    return answer


def patient(seconds: float) -> Callable[[View], View]:
    """Let a view take its time over what is sent; reading has the usual deadline.

    What comes after the view, such as storing the session, has the usual one, too, and not what
    the view has left of it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            with database_deadline(seconds):
                response = view(request, *args, **kwargs)
            begin_deadline_anew()
            return response

        return answer

    return decorate


def _rendered(view: View) -> View:
    """Render inside of the chain, so that a template may use the session and fail like a view."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return answer


def _parts(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Give each part of a stream a deadline, and its connection back before the part is sent.

    Those of the request end before the stream begins, and a slow client may take hours.
    """
    while True:
        with database_deadline():
            part = next(parts, None)
        if not connection.in_atomic_block:
            close_old_connections()
        if part is None:
            return
        yield part
