"""``ROOT_PATH``: the prefix under which a reverse proxy publishes this service."""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured

PREFIX = re.compile(r"(/\w[\w.~-]*)+", re.ASCII)
ORIGIN = re.compile(r"(\w+://[^/]*)?")  # of an absolute URI
# The first segments of this service's own paths. A prefix that starts with one is ambiguous.
OWN_SEGMENTS = ("admin", "api", "docs", "health", "metrics", "openapi.json", "redoc", "static")


def root_path(value: str) -> str:
    """Validate the prefix.

    Args:
        value: the value of ``ROOT_PATH``, such as ``/todo``, with or without a trailing slash.

    Returns:
        The prefix without a trailing slash, or an empty string.

    Raises:
        ImproperlyConfigured: the value is not a path, or starts with one of ``OWN_SEGMENTS``.
    """
    path = value.rstrip("/")
    if path and not PREFIX.fullmatch(path):
        raise ImproperlyConfigured("ROOT_PATH must be a path such as /todo.")
    if path.partition("/")[2].partition("/")[0] in OWN_SEGMENTS:
        raise ImproperlyConfigured(
            f"ROOT_PATH must not begin with a path of this service: /{', /'.join(OWN_SEGMENTS)}."
        )
    return path


def strip_prefix(prefix: str, environ: dict[str, Any]) -> None:
    """Remove the prefix from the path, unless the proxy has already done so.

    Args:
        prefix: the return value of ``root_path()``.
        environ: the WSGI environ; its ``PATH_INFO`` and ``RAW_URI`` are updated.
    """
    path = environ["PATH_INFO"]
    if f"{path}/".startswith(f"{prefix}/"):
        environ["PATH_INFO"] = path.removeprefix(prefix)
        raw_uri = environ.get("RAW_URI", "")
        end = ORIGIN.match(raw_uri).end()  # type: ignore[union-attr]  # it matches any text
        environ["RAW_URI"] = raw_uri[:end] + raw_uri[end:].removeprefix(prefix)
