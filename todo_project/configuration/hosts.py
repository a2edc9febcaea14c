"""The host names of the service."""

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

from django.core.exceptions import ImproperlyConfigured

REQUIREMENT = "ALLOWED_HOSTS must hold host names such as api.example.com, separated by commas"
# Words that stand for a value, or for its absence, and dots and hyphens alone
NO_NAME = r"(all|any|true|false|none|null|undefined|[.-]+)"
# What no request's host name contains (Django's ``host_validation_re``), and what to write instead;
# the first that is found counts. Django removes the port, and one dot at the end, before it
# compares.
MISTAKES = {
    re.compile(r"\A[^:]*:[\d*]*\Z|\]:[\d*]*\Z"): "without a port",
    re.compile(r"[\"'`\[\]{}()<>]"): "without quotes and brackets",
    re.compile(r"[;|\s]"): "with nothing but commas between them",
    re.compile(r"://"): "without https://",
    re.compile(r"/"): "without a slash",
    re.compile(r"\*"): "with .example.com for a domain and its subdomains",
    re.compile(r"_"): "without _, which Django refuses in a Host header",
    re.compile(r"[^\x00-\x7f]"): "with letters outside ASCII in their xn-- form",
    re.compile(r"\.\Z"): "without a dot at the end",
    re.compile(rf"\A{NO_NAME}\Z", re.I): "or be * for any host",
    re.compile(r"[^A-Za-z0-9.-]|\.\."): "with letters, digits and hyphens between single dots",
}
NOT_AN_ADDRESS = "with addresses in full, such as 127.0.0.1"
NEEDS_BRACKETS = "with brackets around an IPv6 address and without a port"
# The last group of an IPv6 address that is probably a port: ::1:8000 is an address too
PORT = re.compile(r"80|443|[1-9][0-9]{3}")


def allowed_hosts(value: str) -> list[str]:
    """Return the setting ``ALLOWED_HOSTS``.

    Args:
        value: host names separated by commas: ``*`` for any, ``.example.com`` for a domain and its
            subdomains. An IPv6 address may lack its brackets, unless it ends like a port.

    Raises:
        ImproperlyConfigured: there is none, or one that can never equal a request's host name.

    Source: Django's documentation of ``ALLOWED_HOSTS``; docs/contract.md, "Errors" (400).
    """
    hosts = [_host(entry.strip()) for entry in value.split(",") if entry.strip()]
    if not hosts:
        raise ImproperlyConfigured(f"{REQUIREMENT}.")
    return hosts


def ipv6_host(text: str) -> str:
    """Return an IPv6 address as browsers send it in ``Host`` and ``Origin``, with brackets.

    Raises:
        ValueError: the text is not an address, or has a zone.

    Source: https://url.spec.whatwg.org/#concept-ipv6-serializer.
    """
    address = IPv6Address(text)
    if address.scope_id:
        raise ValueError("no URL has a zone")
    if address.ipv4_mapped:  # Python 3.13 and newer would end it as an IPv4 address
        high, low = divmod(int(address.ipv4_mapped), 2**16)
        return f"[::ffff:{high:x}:{low:x}]"
    return f"[{address}]"


def _host(entry: str) -> str:
    with suppress(ValueError):
        address, _, group = entry.rpartition(":")
        if PORT.fullmatch(group) and ipv6_host(address):
            raise _refusal(NEEDS_BRACKETS)
    with suppress(ValueError):
        return ipv6_host(entry.strip("[]"))
    for pattern in MISTAKES:
        if entry != "*" and pattern.search(entry):
            raise _refusal(MISTAKES[pattern])
    if entry.rpartition(".")[2].isdecimal():  # no domain ends in a number
        try:
            IPv4Address(entry)
        except ValueError:
            raise _refusal(NOT_AN_ADDRESS) from None
    return entry


def _refusal(advice: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{REQUIREMENT}, {advice}.")
