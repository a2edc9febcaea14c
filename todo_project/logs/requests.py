"""The line of each request."""

import logging
import random
import re
import time
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from authn.principals import Principal
from todo_project.logs.formatters import LineHandler
from todo_project.logs.redaction import redacted

root = logging.getLogger()
logger = logging.getLogger("todo_project.access")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
# Of a route's pattern: a parameter as re_path() and as path() write it, and what is no text
PARAMETER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
ANCHOR = re.compile(r"\^|/\?\\Z|\\Z|\$")


def request_id(sent: str) -> str:
    """Return the id that a client sent, if it is one, or a fresh one.

    Source: docs/contract.md, "What goes beyond the plan", request ids.
    """
    if ACCEPTED_REQUEST_ID.fullmatch(sent):
        return sent
    # no secret, so it need not come from the system: each call of that lets another thread run
    return f"{random.getrandbits(128):032x}"


def log_request(request: HttpRequest, response: HttpResponseBase, started: float) -> None:
    """Write the request's line: a warning with its reason where somebody was refused.

    Nothing in it is as a client has sent it but the request's id, which has a safe form, and the
    user's id of a path that is not the caller's.

    Args:
        request: the request, with the route and the user that were found, if any.
        response: its answer, with the reason of a 401 or 403.
        started: when it came, by ``time.perf_counter()``.

    Source: issue "Documents, logs, metrics, deployment", logs; SC-009, FR-017.
    """
    reason = getattr(response, "reason_code", None)
    level = logging.WARNING if reason else logging.INFO
    if not logger.isEnabledFor(level):
        return
    user = getattr(request, "user", None)
    fields: dict[str, Any] = {
        "method": known_method(request),
        "route": route_template(request),
        "status": response.status_code,
        "duration_ms": round((time.perf_counter() - started) * 1000, 3),
        # The admin's user is another kind of user, and to look at it may cost a query.
        "user_id": user.id if type(user) is Principal else None,
        "reason": reason,
    }
    if reason == "user_mismatch" and request.resolver_match:
        fields["path_user_id"] = redacted(request.resolver_match.kwargs.get("user_id", ""))
    for handler in root.handlers:
        if isinstance(handler, LineHandler):
            handler.write_request(logger.name, level, fields)


def known_method(request: HttpRequest) -> str:
    """Return the request's method, or ``other``: a client may make one up."""
    return request.method if request.method in METHODS else "other"


def route_template(request: HttpRequest) -> str | None:
    """Return the path of the request's route, such as ``/api/{user_id}/tasks``; else ``None``."""
    match = request.resolver_match
    return _template(match.route) if match else None


@cache  # one entry for each route
def _template(route: str) -> str:
    named = PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", route)
    return "/" + ANCHOR.sub("", named).replace(r"\.", ".")
