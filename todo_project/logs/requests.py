"""The log line of each request, and the route that identifies it in the log and the metrics."""

import logging
import random
import re
import time
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from authn.principals import Principal
from todo_project.logs.formatters import ACCESS_LOGGER, LineHandler, RequestRecord
from todo_project.logs.redaction import redacted

logger = logging.getLogger(ACCESS_LOGGER)

BAD_HOST = "bad_host"
MAX_HOST_LENGTH = 100  # characters; enough to recognise a host, which can be as long as a header
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
# In a route's pattern: a parameter of re_path() or path(), and the anchors
PARAMETER = re.compile(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>")
ANCHOR = re.compile(r"\^|/\?\\Z|\\Z|\$")


def request_id(sent: str) -> str:
    """Return the client's request id if it is well formed, else a new one.

    Source: docs/contract.md, "Extensions", request ids.
    """
    if ACCEPTED_REQUEST_ID.fullmatch(sent):
        return sent
    # Not a secret, so os.urandom(), which releases the GIL, is not needed.
    return f"{random.getrandbits(128):032x}"


def log_request(request: HttpRequest, response: HttpResponseBase, started: float) -> None:
    """Log a request; one that is refused for its host, token or user is a warning with its reason.

    Only three unverified values from the client are logged: the request id, which has a safe form,
    the user id in the path of a 403, and the start of a refused ``Host``.

    Args:
        request: the request, with its route and its user if they are known.
        response: the response; that of such a request has a ``reason_code``, which the metrics
            count as well, or the ``refused_host``.
        started: the start of the request, from ``time.perf_counter()``.

    Source: docs/contract.md, "The plan's requirements", SC-009, FR-017.
    """
    refused_host = getattr(response, "refused_host", None)
    reason = getattr(response, "reason_code", None) if refused_host is None else BAD_HOST
    level = logging.WARNING if reason else logging.INFO
    if not logger.isEnabledFor(level):
        return
    user = getattr(request, "user", None)
    fields: dict[str, Any] = {
        "method": known_method(request),
        "route": route_template(request),
        "status": response.status_code,
        "duration_ms": round((time.perf_counter() - started) * 1000, 3),
        # The admin's users are of another type, and evaluating their lazy object may cost a query.
        "user_id": user.id if type(user) is Principal else None,
        "reason": reason,
    }
    if reason == "user_mismatch" and request.resolver_match:
        fields["path_user_id"] = redacted(request.resolver_match.kwargs.get("user_id", ""))
    if refused_host is not None:
        fields["refused_host"] = redacted(refused_host)[:MAX_HOST_LENGTH]
    handlers = _handlers(level)
    # The Sentry SDK does not add a handler: it replaces callHandlers().
    is_plain = not logger.filters and logger.callHandlers.__module__ == "logging"
    if is_plain and all(type(each) is LineHandler and not each.filters for each in handlers):
        for handler in handlers:
            handler.write_request(level, fields)
    else:
        logger.handle(RequestRecord(level, fields))


def known_method(request: HttpRequest) -> str:
    """Return the method of the request, or ``other`` if it is not a known one."""
    return request.method if request.method in METHODS else "other"


def route_template(request: HttpRequest) -> str | None:
    """Return the matched route, such as ``/api/{user_id}/tasks``, or ``None`` if none matched."""
    match = request.resolver_match
    return _template(match.route) if match else None


@cache  # one entry per route
def _template(route: str) -> str:
    named = PARAMETER.sub(lambda match: f"{{{match[1] or match[2]}}}", route)
    return "/" + ANCHOR.sub("", named).replace(r"\.", ".")


def _handlers(level: int) -> list[Any]:
    """Return the handlers that a record of this level reaches (``Logger.callHandlers()``)."""
    handlers: list[Any] = []
    source: logging.Logger | None = logger
    while source:
        handlers += [handler for handler in source.handlers if level >= handler.level]
        source = source.parent if source.propagate else None
    return handlers
