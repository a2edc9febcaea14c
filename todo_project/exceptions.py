"""Every error's body, in the contract's words, and DRF's exception handler.

Source: docs/contract.md, "Errors"; FR-015, FR-016, SC-008.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils.log import log_response
from rest_framework import exceptions
from rest_framework.settings import api_settings

RETRY_AFTER_SECONDS = 2

# What a page can show where the detail is not a sentence for its reader.
SENTENCES = {
    401: "Please sign in.",
    403: "These tasks belong to another account.",
}
EXPIRED = "Your session has expired. Please sign in again."

# The details of errors that carry none of their own, whoever raised them.
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
    """Make an error's answer.

    Args:
        status: the HTTP status.
        detail: a sentence, or the list of a 422; by default the status's own.
        error: the sentence that a page shows; by default the status's own, else the detail.
        headers: more headers.

    Returns:
        An answer whose body has ``detail`` and ``error``.
    """
    if detail is None:
        detail = DETAILS.get(status) or HTTPStatus(status).phrase
    error = error or SENTENCES.get(status) or str(detail)
    body = orjson.dumps({"detail": detail, "error": error})
    response = HttpResponse(body, "application/json", status, headers=headers)
    if status < 500:  # the request's line says it; Django need not see that nobody wants another
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
    return response


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """Turn whatever a view raised into the contract's answer. Lets nothing of it through.

    Args:
        exc: what was raised.
        context: DRF's, with ``view`` and ``request``.
    """
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc)
    if isinstance(exc, exceptions.APIException):
        return _refused(exc, context)
    # Everything that a database says of itself, and nothing that it says of a statement of ours
    if isinstance(exc, (OperationalError, InterfaceError)) or _read_only(exc):
        response = error_response(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
        # No traceback: it says nothing of the cause, and writing one for each request of an outage
        # takes so long that /health waits.
        message, cause, traceback = "The database cannot be used: %s", [str(exc)], None
    else:
        response = error_response(500)
        message, cause, traceback = "Unexpected error", [], exc
    # one line with the cause, and none of Django's own for the same answer
    request = context["request"]._request
    log_response(message, *cause, response=response, request=request, exception=traceback)
    return response


def _read_only(exc: Exception) -> bool:
    """Tell whether the database only reads at the moment, as a standby does (SQLSTATE 25006)."""
    return isinstance(exc, DatabaseError) and getattr(exc.__cause__, "sqlstate", None) == "25006"


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
        detail = None  # DRF's sentences are not the contract's
    response = error_response(status, detail, error=error, headers=headers)
    if status in (401, 403):
        response.reason_code = exc.get_codes()  # type: ignore[attr-defined]  # for the log
    if status == 503:  # one line with the cause, and none of Django's own
        request = context["request"]._request
        log_response("503 %s", exc.get_codes(), response=response, request=request)
    return response


def _invalid(exc: exceptions.ValidationError) -> HttpResponse:
    problems = list(_problems(exc.detail, getattr(exc, "location", "body")))
    error = "; ".join(_sentence(problem) for problem in problems)
    return error_response(422, problems, error=error)


def _problems(detail: Any, location: str) -> Iterator[Problem]:
    """Name the first problem of each field of the body, option of the query, or header."""
    for field, found in detail.items():
        loc = [location] if field == api_settings.NON_FIELD_ERRORS_KEY else [location, field]
        yield {"loc": loc, "msg": str(found[0]), "type": found[0].code}


def _sentence(problem: Problem) -> str:
    field = problem["loc"][-1]
    label = "" if problem["loc"] == ["body"] else f"{field[:1].upper()}{field[1:]}: "
    return f"{label}{problem['msg']}"
