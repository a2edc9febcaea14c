"""The prefix under which a proxy in front shows this service (``ROOT_PATH``)."""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# What the paths of this service begin with: a prefix of the same name could not be told from them.
OURS = ("admin", "api", "docs", "health", "metrics", "openapi.json", "redoc", "static")


def root_path(value: str) -> str:
    """Read the prefix.

    Args:
        value: of ``ROOT_PATH``, such as ``/todo``; a slash at its end is ignored.

    Returns:
        The prefix without a slash at its end; empty where there is none.

    Raises:
        ImproperlyConfigured: it is no path, or begins like one of ours.

    Source: issue "Documents, logs, metrics, deployment", ``ROOT_PATH`` for a prefix.
    """
    path = value.rstrip("/")
    if path and not re.fullmatch(r"(/\w[\w.~-]*)+", path, re.ASCII):
        raise ImproperlyConfigured("ROOT_PATH must be a path such as /todo.")
    if path.split("/")[1:2] and path.split("/")[1] in OURS:
        raise ImproperlyConfigured(
            f"ROOT_PATH must not begin with a path of this service: /{', /'.join(OURS)}."
        )
    return path


def take_off(prefix: str, environ: dict[str, Any]) -> None:
    """Take the prefix off a request's path, where the proxy has left it on.

    A path without it comes from a proxy that takes it off, or from a probe that asks directly.

    Args:
        prefix: as ``root_path`` returns it.
        environ: of WSGI; ``PATH_INFO`` is changed, and gunicorn's ``RAW_URI``.
    """
    path = environ["PATH_INFO"]
    if path == prefix or path.startswith(f"{prefix}/"):
        environ["PATH_INFO"] = path.removeprefix(prefix)
        raw = environ.get("RAW_URI", "")
        environ["RAW_URI"] = re.sub(rf"^(\w+://[^/]*)?{re.escape(prefix)}", r"\1", raw)
