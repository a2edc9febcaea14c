"""The headers of answers, and the refusals, each with the bodies that the code really sends."""

import json
from typing import Any, NamedTuple

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import ValidationError

from authn.authentication import DETAILS as TOKEN_DETAILS
from authn.authentication import INVALID_TOKEN
from authn.permissions import IsPathUser
from authn.tokens import ExpiredTokenError, NoUserError
from tasks.etags import TAG_DIGITS, TaskChangedError, entity_tag
from tasks.idempotency import IdempotencyKeyError
from tasks.list_options import ACCEPTED, OptionsError
from tasks.pagination import Cursor
from tasks.serializers import problem
from todo_project.exceptions import EXPIRED, error_response, exception_handler
from todo_project.logs.requests import ACCEPTED_REQUEST_ID
from todo_project.openapi.schemas import TASK

TAG = entity_tag(orjson.dumps(TASK))
NEXT = Cursor("id", "after", TASK["id"], TASK["id"])


def ref(kind: str, name: str) -> dict[str, str]:
    """Point to a component of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _header(description: str, *, required: bool = True, **schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


HEADERS = {
    "X-Request-ID": _header(
        "The client's own, if it sent one, or a fresh one. Every line of the log has it too.",
        pattern=f"^{ACCEPTED_REQUEST_ID.pattern}$",
    ),
    "Vary": _header("The answer depends on the page that asks.", const="Origin"),
    "Cache-Control": _header("It may not be kept.", const="no-store"),
    "Cache-Control-Kept": _header(
        "A browser may keep it, and asks each time whether it still holds.",
        const="private, no-cache",
    ),
    "ETag": _header(
        "The version: a digest of what is shown. For `If-None-Match` and `If-Match`.",
        pattern=f'^"[0-9a-f]{{{TAG_DIGITS}}}"$',
        examples=[TAG],
    ),
    "Link": _header(
        "With `limit`: the neighbouring pages, `next` and `prev`, relative to this address.",
        required=False,
        pattern=r'^<\?[^>]+>; rel="(next|prev)"(, <\?[^>]+>; rel="prev")?$',
        examples=[f'<?limit=50&cursor={NEXT.encode()}>; rel="next"'],
    ),
    "Idempotent-Replayed": _header(
        "The task was there already: it has been created by a request before this one.",
        required=False,
        const="true",
    ),
    "WWW-Authenticate": _header(
        "Whether a token was missing or was refused.",
        enum=["Bearer", 'Bearer error="invalid_token"'],
    ),
    "Allow": _header("The methods of this path.", examples=["GET, HEAD, PUT, DELETE"]),
    "Retry-After": _header("Seconds to wait.", type="integer", minimum=1, examples=[2]),
}
# What every answer has; "Cache-Control-Kept" takes the place of "Cache-Control" where it is given.
EVERYWHERE = ("X-Request-ID", "Vary", "Cache-Control")


def headers(*names: str) -> dict[str, dict[str, str]]:
    """Point to these headers, and to those that every answer has."""
    return {name.removesuffix("-Kept"): ref("headers", name) for name in (*EVERYWHERE, *names)}


class Refusal(NamedTuple):
    """An answer that many operations have in common.

    Args:
        status: HTTP's.
        answer: the component that describes it.
    """

    status: int
    answer: dict[str, Any]


def _refusal(
    status: int, description: str, *names: str, schema: str = "Error", **examples: HttpResponse
) -> Refusal:
    """Describe an answer by its headers and its bodies, by default the status's own."""
    bodies = examples or {"always": error_response(status)}
    content = {
        "schema": ref("schemas", schema),
        "examples": {name: {"value": json.loads(sent.content)} for name, sent in bodies.items()},
    }
    return Refusal(
        status,
        {
            "description": description,
            "headers": headers(*names),
            "content": {"application/json": content},
        },
    )


def _invalid(error: ValidationError) -> HttpResponse:
    return exception_handler(error, {})


OPTIONS = {
    name: ValidationError(ACCEPTED[name], code="value_error.query").detail
    for name in ("completed", "limit")
}
TOO_LONG = {"title": problem("too_long", max_length=200).detail}
NO_TITLE = {"title": problem("required").detail, "completed": problem("not_a_boolean").detail}
NO_OBJECT = {"non_field_errors": problem("not_an_object").detail}

NO_PATH = error_response(404)
NO_TASK = error_response(404, "Task not found")
REFUSALS = {
    "BadHost": _refusal(400, "The `Host` is not one of this service."),
    "BadBody": _refusal(
        400,
        "The body is empty or not JSON in UTF-8, or the `Host` is not one of this service.",
        empty=error_response(400, "JSON parse error - the body is empty"),
        bad_host=error_response(400),
    ),
    "Unauthorized": _refusal(
        401,
        "There is no token, or none that is valid.",
        "WWW-Authenticate",
        missing=error_response(401, "Missing authorization token"),
        invalid=error_response(401, INVALID_TOKEN),
        expired=error_response(401, TOKEN_DETAILS[ExpiredTokenError], error=EXPIRED),
        no_user=error_response(401, TOKEN_DETAILS[NoUserError]),
    ),
    "Forbidden": _refusal(
        403,
        "`{user_id}` is not the token's user.",
        user_mismatch=error_response(403, IsPathUser.message),
    ),
    "NoSuchPath": _refusal(404, "There is no such path: `{user_id}` is empty or has a `/`."),
    "TaskNotFound": _refusal(
        404,
        "The task does not exist or is somebody else's; or there is no such path.",
        task_not_found=NO_TASK,
        no_such_path=NO_PATH,
    ),
    "FirstTaskDeleted": _refusal(
        404,
        "The task that this `Idempotency-Key` created has been deleted since; or there is no such"
        " path.",
        task_not_found=NO_TASK,
        no_such_path=NO_PATH,
    ),
    "MethodNotAllowed": _refusal(
        405, "What another method gets on this path, a plain `OPTIONS` included.", "Allow"
    ),
    "TaskChanged": _refusal(
        412,
        "`If-Match` names another version than the one that is there.",
        task_changed=error_response(412, TaskChangedError.default_detail),
    ),
    "BodyTooLarge": _refusal(
        413, "The body has more than 64 KiB, with or without `Content-Length`."
    ),
    "UnsupportedMediaType": _refusal(
        415, "The body is not declared as `application/json` in UTF-8."
    ),
    "InvalidOptions": _refusal(
        422,
        "Options are refused; each entry names what is accepted.",
        schema="ValidationError",
        options=_invalid(OptionsError(OPTIONS)),
    ),
    "InvalidNewTask": _refusal(
        422,
        "Fields are refused, or the `Idempotency-Key` is.",
        schema="ValidationError",
        fields=_invalid(ValidationError(NO_TITLE)),
        too_long=_invalid(ValidationError(TOO_LONG)),
        not_an_object=_invalid(ValidationError(NO_OBJECT)),
        key=_invalid(IdempotencyKeyError("was used for another request")),
    ),
    "InvalidChanges": _refusal(
        422,
        "Fields are refused.",
        schema="ValidationError",
        too_long=_invalid(ValidationError(TOO_LONG)),
        not_an_object=_invalid(ValidationError(NO_OBJECT)),
    ),
    "TooManyRequests": _refusal(
        429,
        "More calls of this user than `THROTTLE_RATE` lets through, where that is set.",
        "Retry-After",
    ),
    "InternalServerError": _refusal(500, "A fault of ours."),
    "ServiceUnavailable": _refusal(
        503,
        "The database cannot be used, or the issuer's public keys cannot be fetched. Nobody knows"
        " whether a write has happened.",
        "Retry-After",
    ),
}
