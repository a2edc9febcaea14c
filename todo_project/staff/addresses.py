"""Where a request comes from."""

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# What some proxies add to the address: of a v4 one a port, of a v6 one brackets and a port.
WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
# What one subscriber is given at least, and can choose addresses in (RFC 6177).
IPV6_PREFIX = 64


def client_address(request: HttpRequest) -> str | None:
    """Return the address that log-ins are counted by.

    Behind a proxy that is trusted it is the last entry of ``X-Forwarded-For``, which the proxy has
    added itself; whatever stands before it is the client's to invent. Of an IPv6 address the
    network counts, as its owner has a new address for every attempt.

    Returns:
        An address; ``None`` where the server knows none, as on a Unix socket.

    Source: issue "Staff and operators", the lock-out.
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
