"""Strict parsing of a request's JSON body.

DRF's parser responds to an oversized body with HTML, turns deep nesting into a 500, and accepts
UTF-16.
"""

import json
from typing import Any, NoReturn

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType

TOO_DEEP = "JSON parse error - nested too deeply"


class BodyTooLargeError(APIException):
    """The body is larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status_code = 413
    default_detail = "Request body too large"
    default_code = "body_too_large"


def read_json(request: HttpRequest) -> Any:
    """Parse the body; if a key is repeated, its last value wins.

    Args:
        request: a request whose body has not been read.

    Raises:
        BodyTooLargeError: the body exceeds ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes.
        ParseError: the body is empty, incomplete, too deeply nested, or not JSON in UTF-8.
        UnsupportedMediaType: the content type is not JSON in UTF-8.

    Source: docs/contract.md, "Errors" (413, 415, 400); RFC 8259 §8.1.
    """
    body = _read(request)
    if not body:
        raise ParseError("JSON parse error - the body is empty")
    charset = (request.content_params or {}).get("charset", "utf-8").strip("\"'").lower()
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(request.content_type or "")
    return _parse(body)


def read_flag(request: HttpRequest, name: str) -> bool | None:
    """Return a boolean member of the body, or ``None`` if the body is not an object with one.

    Unlike ``read_json``, it ignores any other body, of any content type.

    Args:
        request: a request whose body has not been read.
        name: the name of the member.

    Raises:
        ParseError: the body is incomplete.

    Source: docs/contract.md, "Six endpoints and a health check".
    """
    try:
        body = _read(request)
    except BodyTooLargeError:
        return None
    try:
        value = _parse(body) if body else None
    except ParseError:
        return None
    flag = value.get(name) if isinstance(value, dict) else None
    return flag if isinstance(flag, bool) else None


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):  # from 3.14 on, Python's parser has none
            raise ParseError(TOO_DEEP) from None
        # orjson rejects lone surrogates, and its messages are terse
        return _parse_leniently(body)


def _parse_leniently(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_reject_constant)
    except RecursionError:
        raise ParseError(TOO_DEEP) from None
    except UnicodeDecodeError:
        raise ParseError("JSON parse error - the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"JSON parse error - {error}") from None
    except ValueError:  # a number with thousands of digits, NaN or Infinity
        raise ParseError("JSON parse error - a number cannot be read") from None


def _read(request: HttpRequest) -> bytes:
    """Read the body. The server gives each body a length, chunked ones too."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLargeError
    body = request.read()
    if len(body) < length:  # the client disconnected; a truncated body may be valid JSON
        raise ParseError("JSON parse error - the body is incomplete")
    return body


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)
