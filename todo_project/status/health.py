"""Is the process alive, and can it do its work?"""

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.log import log_response

from todo_project.deadlines import database_deadline
from todo_project.exceptions import RETRY_AFTER_SECONDS, error_response
from todo_project.status.migrations import missing_migrations

READY_SECONDS = 2.0  # how long the database may take to answer


def health(request: HttpRequest) -> HttpResponseBase:
    """Answer that the process is alive. Asks for no token and touches no database.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return _answer("healthy")


def ready(request: HttpRequest) -> HttpResponseBase:
    """Answer whether the database answers and has its tables; a balancer waits for it.

    Source: issue "Nothing lost, nothing twice", readiness; docs/contract.md, "Errors" (503).
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    try:
        with database_deadline(READY_SECONDS):
            missing = missing_migrations(connection)
    except (DatabaseError, InterfaceError) as error:
        return _not_ready(request, f"the database does not answer ({type(error).__name__})")
    if missing:
        return _not_ready(request, f"run migrate: {missing} are missing")
    return _answer("ready")


def _answer(status: str) -> HttpResponseBase:
    now = timezone.now().strftime(settings.API_DATETIME_FORMAT)
    return JsonResponse({"status": status, "timestamp": now})


def _not_ready(request: HttpRequest, why: str) -> HttpResponseBase:
    response = error_response(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    # one line for an operator, and none of Django's own
    log_response("Not ready: %s", why, response=response, request=request)
    return response
