"""Headers, error bodies and the log line of every response."""

import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.cache import patch_vary_headers

from todo_project.deadlines import database_deadline
from todo_project.exceptions import error_response
from todo_project.logs.formatters import current_request_id
from todo_project.logs.requests import log_request, request_id

# A raw path or absolute URI; the groups are the path before the task's id, the id, and the rest
TASK_PATH = re.compile(r"(?:[a-z]+://[^/]*)?((?:/[^/]+){3}/)([^/]+)(.*)", re.IGNORECASE)

# Keyed by the lower-case name, as in Django's ResponseHeaders
DEFAULT_HEADERS = {
    "cache-control": ("Cache-Control", "no-store"),
    "x-content-type-options": ("X-Content-Type-Options", "nosniff"),
    "vary": ("Vary", "Origin, Authorization"),
}
PAGES = ("/admin/", "/docs", "/redoc")  # the HTML pages


def contract_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Check the host, set headers, return errors as JSON (except the admin's), and log the request.

    Only the metrics middleware may be outside this one, which must see Django's own responses, with
    ``DEBUG`` on or off: the 404 of an unknown path, the 500 of a fault in another middleware, and
    the debug pages of both.

    Source: docs/contract.md, "Six endpoints and a health check", "Errors", "Extensions" (request
    ids); FR-016.
    """
    # These middleware run only if needed: in MIDDLEWARE they would cost each request 30 µs.
    get_page: Any = SecurityMiddleware(XFrameOptionsMiddleware(get_response))

    cors: Any = CorsMiddleware(get_response)

    def respond(request: HttpRequest) -> Any:
        if refusal := _refuse_host(request):
            return refusal
        _correct_path(request)
        if request.method == "OPTIONS" and "HTTP_ORIGIN" in request.META:
            preflight = cors.check_preflight(request)
            if preflight is not None:
                return preflight
        is_page = request.path_info.startswith(PAGES)
        return get_page(request) if is_page else get_response(request)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        identifier = request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        request.META["todo_project.request_id"] = identifier  # for the server's own log entries
        token = current_request_id.set(identifier)
        # A request may have waited for a thread.
        with database_deadline(started_at=request.META.get("todo_project.received_at")):
            response: HttpResponseBase = respond(request)
        if response.status_code >= 400 and not _is_json(response) and not _is_admin(request):
            response = _as_json(response)
        _add_headers(request, response, identifier)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        log_request(request, response, started)
        current_request_id.reset(token)
        return response

    return middleware


def _refuse_host(request: HttpRequest) -> HttpResponseBase | None:
    """Return a 400 if the host is not in ``ALLOWED_HOSTS``, else ``None``."""
    host = request.META.get("HTTP_HOST", "")
    try:
        if host:
            _validate_host(host, tuple(settings.ALLOWED_HOSTS))
        else:
            request.get_host()  # without a Host header, checks the server's own name
    except DisallowedHost:
        response = error_response(400)
        response.refused_host = host  # type: ignore[attr-defined]  # for the log
        return response
    return None


@lru_cache(maxsize=256)  # does not cache exceptions, so clients cannot fill it with bad hosts
def _validate_host(host: str, allowed: tuple[str, ...]) -> None:
    """Raise ``DisallowedHost`` for a host that is not allowed. Uncached, this takes 8 µs."""
    request = HttpRequest()
    request.META["HTTP_HOST"] = host
    request.get_host()


def _add_headers(request: HttpRequest, response: HttpResponseBase, identifier: str) -> None:
    """Add the headers of every response."""
    if response.has_header("Vary"):
        patch_vary_headers(response, ("Origin", "Authorization"))
    own = {"x-request-id": ("X-Request-ID", identifier)}
    if isinstance(response, HttpResponse) and response.status_code not in (204, 304):
        own["content-length"] = ("Content-Length", str(len(response.content)))
    if "HTTP_ORIGIN" in request.META and not _is_admin(request):
        own = {**_cross_origin_headers(request), **own}
    # Setting them one by one would take 5 µs more.
    response.headers._store = {**DEFAULT_HEADERS, **response.headers._store, **own}  # noqa: SLF001


def _cross_origin_headers(request: HttpRequest) -> Mapping[str, tuple[str, str]]:
    """Return the CORS headers for a request with an ``Origin``."""
    allowed = tuple(settings.CORS_ALLOWED_ORIGIN_REGEXES)
    return _cors_headers(request.META["HTTP_ORIGIN"], request.method == "OPTIONS", allowed)


@lru_cache(maxsize=64)  # the origins of other sites can only displace entries
def _cors_headers(
    origin: str, is_options: bool, allowed: tuple[str, ...]
) -> Mapping[str, tuple[str, str]]:
    """Return the headers that corsheaders adds outside the admin. Uncached, this takes 33 µs.

    Args:
        origin: the origin that the request names.
        is_options: whether its method is ``OPTIONS``.
        allowed: the setting ``CORS_ALLOWED_ORIGIN_REGEXES``, as a part of the cache's key.
    """
    request, response = HttpRequest(), HttpResponse()
    request.method = "OPTIONS" if is_options else "GET"
    request.META["HTTP_ORIGIN"] = origin
    CorsMiddleware(lambda _: response).add_response_headers(request, response)
    return {name: (name, value) for name, value in response.items() if name.startswith("access-")}


def _correct_path(request: HttpRequest) -> None:
    """Correct a path whose segments do not survive WSGI's decoding.

    If only the task's id is affected, the path becomes that of a missing task; otherwise it becomes
    an unknown path.
    """
    path = request.META.get("RAW_URI", "").partition("?")[0]
    if "%" not in path or _keeps_segments(path):
        return
    request.path_info = "//"  # matches no route
    if match := TASK_PATH.fullmatch(path):
        before, _, after = match.groups()
        if _keeps_segments(before + after):
            request.path_info = unquote(f"{before}-{after}")


def _keeps_segments(path: str) -> bool:
    """Return whether decoding a path preserves its segments.

    ``%2F`` would split a user id. Django replaces bytes that are not UTF-8 with their escapes,
    which could be another user's id.
    """
    try:
        unquote_to_bytes(path.encode("latin-1")).decode()
    except UnicodeError:
        return False
    return "%2f" not in path.lower()


def _is_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin/")


def _is_json(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def _as_json(response: HttpResponseBase) -> HttpResponseBase:
    """Replace an HTML error with the JSON error of the same status; keep the other headers.

    Django has already logged a 5xx; ``_has_been_logged`` keeps it from logging the replacement.
    """
    replacement = error_response(response.status_code)
    for name, value in response.headers.items():
        replacement.headers.setdefault(name, value)
    replacement._has_been_logged = True  # type: ignore[attr-defined]
    return replacement
