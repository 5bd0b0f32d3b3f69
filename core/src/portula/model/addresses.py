"""The part of a client's address by which limits count."""

from __future__ import annotations

import ipaddress

IPV6_SUBSCRIBER_PREFIX = 64
"""RFC 6177: a subscriber holds at least a /64, so single IPv6 addresses cannot be counted."""


def network_of(client_address: str) -> str:
    """Return all of an IPv4 address, the /64 of an IPv6 address, and anything else as it is."""
    try:
        address = ipaddress.ip_address(client_address.partition("%")[0])
    except ValueError:
        return client_address
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_SUBSCRIBER_PREFIX), strict=False))
