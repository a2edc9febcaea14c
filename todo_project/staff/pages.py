"""Sessions, messages, security headers and error pages for the admin's views.

The middleware wraps these views instead of being in ``MIDDLEWARE``, so that API requests do not
run it.

Source: docs/decisions/0011-admin-outside-middleware.md.
"""

import logging
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest, FieldDoesNotExist, SuspiciousOperation
from django.core.handlers.exception import response_for_exception
from django.db import DataError, close_old_connections, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from django.utils.decorators import decorator_from_middleware
from django.utils.log import log_response

from authn.tokens import USER_ID_MAX_LENGTH
from todo_project.deadlines import database_deadline, restart_deadline
from todo_project.exceptions import RETRY_AFTER_SECONDS
from todo_project.outages import is_outage

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
# Characters; an owner's id is the longest text worth a search. SQLite refuses a statement with a
# thousand words, which would look like an outage.
MAX_SEARCH_LENGTH = USER_ID_MAX_LENGTH
# What Django and the drivers raise for a value that a column cannot have, such as a date after the
# year 9999 or an id above 2⁶³, and for the name of a field that does not exist
INVALID_VALUE_ERRORS = (DataError, FieldDoesNotExist, OverflowError, ValueError)
# The database deadline of a login, which includes the deliberately slow password check
LOGIN_SECONDS = 20.0
# The database deadline of actions on many tasks, which only signed-in staff can run
ACTION_SECONDS = 600.0

logger = logging.getLogger(__name__)

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
            refusal = _refuse_body(request) or _refuse_query(request)
            response = refusal or chain(request, *args, **kwargs)
        except (BadRequest, MultiPartParserError, SuspiciousOperation):
            # Anybody can send such a form, so that Django's log entry of 5 KB is not worth it.
            response = _error_page(400)
        except Exception as error:  # noqa: BLE001 - Django logs it and returns a response
            if is_outage(error):
                response = _outage_page(request, error)
            elif isinstance(error, INVALID_VALUE_ERRORS) and _has_values(request):
                response = _invalid_value_page(error)
            else:
                response = response_for_exception(request, error)
                if settings.DEBUG:  # Django's debug page; the policy would block its inline styles
                    return response
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = _with_deadlines(iter(response))
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return wrapper


def _refuse_body(request: HttpRequest) -> HttpResponseBase | None:
    """Return a 413 if the body is too large, else ``None``."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    is_too_large = request.method == "POST" and length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return _error_page(413) if is_too_large else None


def _refuse_query(request: HttpRequest) -> HttpResponseBase | None:
    """Return a 400 if a list cannot be searched or filtered by the query string, else ``None``."""
    match = request.resolver_match
    if match is None or not match.view_name.endswith("_changelist"):
        return None
    if any(len(values) > 1 for _, values in request.GET.lists()):
        # No link repeats a filter. SQLite refuses a statement with a thousand conditions.
        return _error_page(400)
    if len(request.GET.get(SEARCH_VAR, "").strip()) <= MAX_SEARCH_LENGTH:
        return None
    context = {"limit": MAX_SEARCH_LENGTH, "path": request.path}
    return HttpResponse(render_to_string("search_too_long.html", context), status=400)


def _has_values(request: HttpRequest) -> bool:
    return bool(request.GET) or request.method == "POST"


def _invalid_value_page(error: Exception) -> HttpResponse:
    """Return a 400, and log where the error was raised: its message may quote the value."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    name = f"{Path(place.filename).name}:{place.lineno}"
    logger.warning(
        "A value in an address or a form is invalid: %s in %s", type(error).__name__, name
    )
    return _error_page(400)


def _outage_page(request: HttpRequest, error: Exception) -> HttpResponse:
    response = _error_page(503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    message = "The database cannot be used"
    log_response(message, response=response, request=request, exception=error)
    return response


def _error_page(status: int) -> HttpResponse:
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


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
