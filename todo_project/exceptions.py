"""The JSON body of error responses, and DRF's exception handler.

Source: docs/contract.md, "Errors"; FR-015, FR-016, SC-008.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.utils.log import log_response
from rest_framework import exceptions
from rest_framework.settings import api_settings

from todo_project.outages import is_outage

RETRY_AFTER_SECONDS = 2

# The ``error`` of statuses whose detail is not a sentence for the user
SENTENCES = {
    401: "Please sign in.",
    403: "These tasks belong to another account.",
}
EXPIRED = "Your session has expired. Please sign in again."

# Default details; other statuses use their HTTP reason phrase
DETAILS = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request body too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Internal server error",
    503: "Service temporarily unavailable",
}

Problem = dict[str, Any]


def error_response(
    status: int,
    detail: str | list[Problem] | None = None,
    *,
    error: str | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Return an error response with ``detail`` and ``error`` in its body.

    Args:
        status: the HTTP status.
        detail: a sentence, or the list of problems for a 422; the default depends on the status.
        error: the sentence that a page shows; by default, from ``SENTENCES``, else ``detail``.
        headers: additional headers.
    """
    if detail is None:
        detail = DETAILS.get(status) or HTTPStatus(status).phrase
    error = error or SENTENCES.get(status) or str(detail)
    body = orjson.dumps({"detail": detail, "error": error})
    response = HttpResponse(body, "application/json", status, headers=headers)
    if status < 500:  # log_request() logs it, and the LOGGING setting discards Django's line
        response._has_been_logged = True  # type: ignore[attr-defined]  # read by log_response()
    return response


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """Return the error response for an exception in a view, without exposing internals.

    Args:
        exc: the exception.
        context: DRF's context, with ``view`` and ``request``.

    Source: docs/contract.md, "Errors"; FR-016.
    """
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc)
    if isinstance(exc, exceptions.APIException):
        return _refused(exc, context)
    if is_outage(exc):
        response = error_response(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
        # No traceback: it does not show the cause, and formatting one per request would delay
        # /health during an outage.
        message, cause, traceback = "The database cannot be used: %s", [str(exc)], None
    else:
        response = error_response(500)
        message, cause, traceback = "Unexpected error", [], exc
    # Logs the cause once: log_response() marks the response, and Django does not log it again.
    request = context["request"]
    if traceback:
        # As Django does for an exception that leaves a view. Error reporters, such as Sentry's
        # integration, learn of it from this signal.
        got_request_exception.send(sender=None, request=request)
    log_response(message, *cause, response=response, request=request, exception=traceback)
    return response


def _refused(exc: exceptions.APIException, context: dict[str, Any]) -> HttpResponse:
    status = exc.status_code
    headers: dict[str, str] = {}
    detail: str | None = str(exc.detail)
    error = None
    if status == 401:
        challenge = context["view"].get_authenticate_header(context["request"])
        headers["WWW-Authenticate"] = challenge
        error = EXPIRED if exc.get_codes() == "expired" else None
    elif status == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    elif status == 429:
        headers["Retry-After"] = str(int(getattr(exc, "wait", None) or 1))
    elif status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if status in (405, 415, 429):
        detail = None  # use the contract's detail, not DRF's
    response = error_response(status, detail, error=error, headers=headers)
    if status in (401, 403, 503):
        response.reason_code = exc.get_codes()  # type: ignore[attr-defined]  # for the log
        # A 503 too: anybody can cause one with a made-up key, and its request's line is enough.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _invalid(exc: exceptions.ValidationError) -> HttpResponse:
    problems = list(_problems(exc.detail, getattr(exc, "location", "body")))
    error = "; ".join(_sentence(problem) for problem in problems)
    return error_response(422, problems, error=error)


def _problems(detail: Any, location: str) -> Iterator[Problem]:
    """Yield the first problem of each body field, query option or header."""
    for field, errors in detail.items():
        loc = [location] if field == api_settings.NON_FIELD_ERRORS_KEY else [location, field]
        yield {"loc": loc, "msg": str(errors[0]), "type": errors[0].code}


def _sentence(problem: Problem) -> str:
    field = problem["loc"][-1]
    label = "" if problem["loc"] == ["body"] else f"{field[:1].upper()}{field[1:]}: "
    return f"{label}{problem['msg']}"
