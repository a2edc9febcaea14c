"""Web origins."""

import re
from ipaddress import IPv4Address
from urllib.parse import urlsplit

import idna
from django.core.exceptions import ImproperlyConfigured

from todo_project.configuration.hosts import NO_NAME, ipv6_host

DEFAULT_PORTS = {"http": 80, "https": 443}
# What no origin contains, and what to write instead; the first that is found counts.
MISTAKES = {
    re.compile(r"\Anull\Z|\A([a-z]+://)?[^/?#]*\*", re.I): "each in full; * and null are refused",
    re.compile(r"\A[a-z]+://[^/?#]*@", re.I): "without a user and a password",
    re.compile(r"[\"'`]|(?<!//)\[|\](?![:/?#]|\Z)"): "without quotes and brackets",
    re.compile(r"[;|\s]"): "with nothing but commas between them",
    # the second without its colon, too, as in http://https//app.example.com
    re.compile(r"\A(?!https?://(?!https?([:/?#]|\Z)))", re.I): "each with http:// or https:// once",
    # a template whose variable has no value
    re.compile(rf"\Ahttps?://{NO_NAME}([:/?#]|\Z)", re.I): "with the name of a host in each",
}
NOT_A_NAME = "with names of letters, digits and hyphens between single dots"
NOT_ENCODABLE = "with letters outside ASCII in their xn-- form"
NOT_AN_ADDRESS = "with addresses in full, such as 127.0.0.1 or [::1]"
NOT_A_PORT = "with ports from 1 to 65535"
LABEL = r"[a-z0-9_-]{1,63}"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*|\[[0-9a-f:]+\]")  # in lower case
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def origin(variable: str, url: str) -> str:
    """Return a URL's origin, serialised as in a browser's ``Origin`` header.

    Args:
        variable: the environment variable, for the error message.
        url: ``scheme://host[:port]``; a path is ignored.

    Returns:
        ``scheme://host[:port]`` in lower case, without a default port.

    Raises:
        ImproperlyConfigured: the value is ``*``, ``null`` or not an http(s) URL, or no browser
            sends such an origin.

    Source: docs/contract.md, "Cross-origin"; RFC 6454, section 6.2; FR-019.
    """
    url = url.strip()
    for pattern in MISTAKES:
        if pattern.search(url):
            raise _refusal(variable, MISTAKES[pattern])
    try:
        parts = urlsplit(url)
        host = _host(parts.hostname or "")
    except ValueError:
        raise _refusal(variable, NOT_AN_ADDRESS if url.isascii() else NOT_ENCODABLE) from None
    if not HOST.fullmatch(host):
        raise _refusal(variable, NOT_A_NAME)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _refusal(variable, NOT_A_PORT)
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def _host(host: str) -> str:
    """Return a host as browsers serialise it.

    A name in ASCII may have an underscore or an emoji's xn-- form, which ``idna`` would refuse.

    Raises:
        ValueError: the host is an incomplete address, or cannot be encoded.

    Source: https://url.spec.whatwg.org/#concept-host-parser; UTS 46, non-transitional.
    """
    if ":" in host:
        return ipv6_host(host)
    name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    is_address = NUMBER.fullmatch(name.rpartition(".")[2])  # 127.1 too, which browsers complete
    return str(IPv4Address(name)) if is_address else name


def _refusal(variable: str, advice: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{variable} must hold origins such as https://app.example.com, separated by commas,"
        f" {advice}."
    )
