"""The client address by which failed logins are counted."""

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# Some proxies add the port, and put an IPv6 address in brackets.
WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
# A subscriber gets at least a /64 and can use any address in it (RFC 6177).
IPV6_PREFIX = 64


def client_address(request: HttpRequest) -> str | None:
    """Return the address by which failed logins are counted.

    Behind a trusted proxy, this is the last entry of ``X-Forwarded-For``, if that is an address:
    the proxy added it, while the client can forge the entries before it. Otherwise it is the peer's
    address. An IPv6 address is reduced to its /64 network, because a client can use a different
    address in it for every attempt; a mapped IPv4 address is returned as IPv4.

    Returns:
        The address, or ``None`` if there is none, as on a Unix socket.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.TRUST_PROXY else ""
    for candidate in (forwarded.rpartition(",")[2].strip(), request.META.get("REMOTE_ADDR", "")):
        if match := WITH_PORT.fullmatch(candidate):
            candidate = match[1] or match[2]
        try:
            address = ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is None:
                return str(ip_network((int(address), IPV6_PREFIX), strict=False)[0])
            address = address.ipv4_mapped
        return str(address)
    return None
