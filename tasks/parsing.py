"""Reading a request's body as JSON, strictly.

DRF's own way loses a chunked body without ``Content-Length``, answers an oversized one with HTML,
lets deep nesting end in a 500, and reads UTF-16.
"""

import json
from typing import Any, NoReturn

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType


class BodyTooLargeError(APIException):
    """The body is larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status_code = 413
    default_detail = "Request body too large"
    default_code = "body_too_large"


def read_json(request: HttpRequest) -> Any:
    """Return the JSON value in a request's body; of repeated names the last one counts.

    Args:
        request: a request whose body nobody has read yet.

    Raises:
        BodyTooLargeError: it has more than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes.
        ParseError: it is empty, cannot be read, or is not JSON in UTF-8.
        UnsupportedMediaType: it is not declared as JSON in UTF-8.

    Source: docs/contract.md, "Errors" (413, 415, 400); RFC 8259 §8.1.
    """
    body = _read(request)
    if not body:
        raise ParseError("JSON parse error - the body is empty")
    charset = (request.content_params or {}).get("charset", "utf-8").strip("\"'").lower()
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(request.content_type or "")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # it takes no lone surrogate either, and its words are terse
        return _read_leniently(body)


def _read_leniently(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise ParseError("JSON parse error - nested too deeply") from None
    except UnicodeDecodeError:
        raise ParseError("JSON parse error - the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"JSON parse error - {error}") from None
    except ValueError:  # a number of thousands of digits, or NaN
        raise ParseError("JSON parse error - a number cannot be read") from None


def _read(request: HttpRequest) -> bytes:
    """Read the body, but never more than one byte beyond the limit."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    announced = 0 if chunked else int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > limit:
        raise BodyTooLargeError
    # Django reads as many bytes as Content-Length says: of a chunked body, none. The server marks
    # a stream that ends by itself.
    stream = request.META["wsgi.input"] if chunked else request
    try:
        body: bytes = stream.read(limit + 1)
    except Exception:  # noqa: BLE001 - each server has its own errors for a broken chunk
        raise ParseError("JSON parse error - the body cannot be read") from None
    if len(body) > limit:
        raise BodyTooLargeError
    if len(body) < announced:  # the client hung up: what it sent is not what it meant to send
        raise ParseError("JSON parse error - the body is incomplete")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
