"""Entity tags: what version of a task or a list an answer shows, and what a client has seen.

Source: docs/contract.md, "What goes beyond the plan", versions; RFC 9110 §8.8.3 and §13.1.
"""

import hashlib

from django.utils.http import parse_etags
from rest_framework.exceptions import APIException

TAG_DIGITS = 32  # hexadecimal


class TaskChangedError(APIException):
    """``If-Match`` names another version than the one that is there."""

    status_code = 412
    default_detail = "Task has changed"
    default_code = "task_changed"


def entity_tag(*parts: bytes) -> str:
    """Name a version by its content, so that it changes whoever changes that.

    Args:
        parts: what the answer stands for.

    Returns:
        A strong entity tag, its quotes included.
    """
    # of the standard library's digests the one that processors know: 0.13 ms for 1,000 tasks
    return f'"{hashlib.sha256(b"".join(parts)).hexdigest()[:TAG_DIGITS]}"'


def is_match(header: str, tag: str) -> bool:
    """Tell whether ``If-Match`` holds for a version that is there: no weak tag ever matches.

    Source: RFC 9110 §13.1.1.
    """
    return any(each in ("*", tag) for each in parse_etags(header))


def is_known(header: str, tag: str) -> bool:
    """Tell whether ``If-None-Match`` names a version; a weak tag is as good.

    Source: RFC 9110 §13.1.2.
    """
    return any(each.removeprefix("W/") in ("*", tag) for each in parse_etags(header))
