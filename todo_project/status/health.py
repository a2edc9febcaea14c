"""The liveness and readiness checks."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.log import log_response

from todo_project.deadlines import database_deadline
from todo_project.exceptions import RETRY_AFTER_SECONDS, error_response
from todo_project.explanations import reason
from todo_project.status.encoding import REMEDY, encoding_problem
from todo_project.status.migrations import missing_migrations

READY_SECONDS = 2.0  # the database deadline of a readiness check


def health(request: HttpRequest) -> HttpResponseBase:
    """Report that the process is alive, without authentication or a database query.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return _status_response("healthy")


def ready(request: HttpRequest) -> HttpResponseBase:
    """Report whether the database answers, can hold and write every task, and has all migrations.

    For load balancers.

    Source: docs/contract.md, "Errors" (503).
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    database: Any = connection  # one of this project's back ends
    try:
        with database_deadline(READY_SECONDS):
            is_writable, missing = database.is_writable, missing_migrations(connection)
            problem = encoding_problem(connection)
    except (DatabaseError, InterfaceError) as error:
        why = f"{type(error).__name__}: {reason(error)}"
        return _not_ready(request, f"the database does not answer ({why})")
    if problem:
        return _not_ready(request, f"{problem}; {REMEDY}")
    if not is_writable:
        return _not_ready(request, "the database is read-only")
    if missing:
        return _not_ready(request, f"unapplied migrations: {missing}; run migrate")
    return _status_response("ready")


def _status_response(status: str) -> HttpResponseBase:
    now = timezone.now().strftime(settings.API_DATETIME_FORMAT)
    return JsonResponse({"status": status, "timestamp": now})


def _not_ready(request: HttpRequest, why: str) -> HttpResponseBase:
    response = error_response(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    # Logs the reason once: Django does not log a response that log_response() has marked.
    log_response("Not ready: %s", why, response=response, request=request)
    return response
