"""Web origins."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")  # in lower case


def origin(variable: str, url: str) -> str:
    """Return a URL's origin, serialised as in a browser's ``Origin`` header.

    Args:
        variable: the environment variable, for the error message.
        url: ``scheme://host[:port]``; a path is ignored.

    Returns:
        ``scheme://host[:port]`` in lower case, without a default port.

    Raises:
        ImproperlyConfigured: the value is ``*``, ``null`` or not an http(s) URL.

    Source: docs/contract.md, "Cross-origin"; RFC 6454, section 6.2; FR-019.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except ValueError:
        name = ""
    if not HOST.fullmatch(name) or parts.scheme not in DEFAULT_PORTS:
        raise ImproperlyConfigured(
            f"{variable} must hold origins such as https://app.example.com, separated by commas;"
            " * and null are refused."
        )
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{name}{suffix}"
