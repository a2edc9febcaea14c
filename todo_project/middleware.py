"""What every answer has, whoever made it."""

import re
import time
from collections.abc import Callable
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

from todo_project.deadlines import database_deadline
from todo_project.exceptions import error_response
from todo_project.logs.formatters import current_request_id
from todo_project.logs.requests import log_request, request_id

# A path as it was sent, after the address that an absolute one begins with: what stands before the
# segment of a task's id, that segment, and what stands behind it.
TASK_PATH = re.compile(r"(?:[a-z]+://[^/]*)?((?:/[^/]+){3}/)([^/]+)(.*)", re.IGNORECASE)

# What an answer has unless it says otherwise, as Django keeps it: by the name in lower case
DEFAULT_HEADERS = {
    name.lower(): (name, value)
    for name, value in {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Origin",
    }.items()
}
# Where the pages for people are.
PAGES = ("/admin/", "/docs", "/redoc")


def contract_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Check the host first; give every answer its request id, caching, length and JSON body.

    It is the outermost, so that it sees what Django answers by itself, with ``DEBUG`` on or off:
    the 404 of no route, the 500 of a fault in another middleware, the technical pages of both.

    Source: docs/contract.md, "Six endpoints and a health check", "Errors", request ids; FR-016.
    """
    # Where they have something to say: in MIDDLEWARE they would cost each request 30 µs.
    for_people: Any = SecurityMiddleware(XFrameOptionsMiddleware(get_response))

    def shown(request: HttpRequest) -> Any:
        is_page = request.path_info.startswith(PAGES)
        return for_people(request) if is_page else get_response(request)

    from_pages: Any = CorsMiddleware(shown)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        identifier = request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        token = current_request_id.set(identifier)
        has_origin = "HTTP_ORIGIN" in request.META
        with database_deadline():
            response: HttpResponseBase | None = _refusal(request)
            if response is None:
                _mend_path(request)
                response = (from_pages if has_origin else shown)(request)
            elif has_origin:
                from_pages.add_response_headers(request, response)
        if response.status_code >= 400 and not _is_json(response) and not _is_for_people(request):
            response = _as_json(response)
        own = {"x-request-id": ("X-Request-ID", identifier)}
        if isinstance(response, HttpResponse) and response.status_code not in (204, 304):
            own["content-length"] = ("Content-Length", str(len(response.content)))
        # One by one, with a look at each for line breaks, they would cost 8 µs.
        response.headers._store = {**DEFAULT_HEADERS, **response.headers._store, **own}  # noqa: SLF001
        if has_origin:  # corsheaders' is in lower case
            response.headers["Vary"] = response.headers["Vary"].replace("origin", "Origin")
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        log_request(request, response, started)
        current_request_id.reset(token)
        return response

    return middleware


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    """Refuse a host that is not ours."""
    try:
        if host := request.META.get("HTTP_HOST"):
            _check_host(host, tuple(settings.ALLOWED_HOSTS))
        else:
            request.get_host()  # the server's own name
    except DisallowedHost:
        return error_response(400)
    return None


@lru_cache(maxsize=256)  # few of our names are ever used; what is refused is not kept
def _check_host(host: str, allowed: tuple[str, ...]) -> None:
    """Raise where a host is not allowed. Asking Django each time takes 8 µs more."""
    request = HttpRequest()
    request.META["HTTP_HOST"] = host
    request.get_host()


def _mend_path(request: HttpRequest) -> None:
    """Undo what decoding the whole path at once has done to one of its segments.

    What stands for a task's id and cannot be decoded is an id that no task has; any other such
    segment is part of no path.
    """
    path = request.META.get("RAW_URI", "").partition("?")[0]
    if "%" not in path or _splits_before_decoding(path):
        return
    request.path_info = "//"  # which no route has
    if match := TASK_PATH.fullmatch(path):
        before, _, behind = match.groups()
        if _splits_before_decoding(before + behind):
            request.path_info = unquote(f"{before}-{behind}")


def _splits_before_decoding(path: str) -> bool:
    """Tell whether a path means the same before and after WSGI has decoded it.

    ``%2F`` would cut a user's id in two; bytes that are not UTF-8 would come back from Django as
    the text of their escapes, which is somebody else's id.
    """
    try:
        unquote_to_bytes(path.encode("latin-1")).decode()
    except UnicodeError:
        return False
    return "%2f" not in path.lower()


def _is_for_people(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin/")


def _is_json(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def _as_json(response: HttpResponseBase) -> HttpResponseBase:
    """Replace a page by the contract's error of the same status, keeping the other headers.

    Django has logged the page; it need not log what stands for it.
    """
    replacement = error_response(response.status_code)
    for name, value in response.headers.items():
        replacement.headers.setdefault(name, value)
    replacement._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
    return replacement
