"""Which addresses are public, by the IANA registries of special-purpose addresses (RFC 6890; November 2026)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

from portula_fetch.targets import Address, is_host_name

Network = IPv4Network | IPv6Network

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given to hosts (RFC 4291 §2.4). Outside of it lie `::`, `::1`, IPv4 in IPv6 (`::ffff:0:0/96`,
`::/96`), NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`), discard (`100::/64`), SRv6 (`5f00::/16`), unique local (`fc00::/7`),
link local, site local and multicast."""

SPECIAL: tuple[Network, ...] = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # shared by carriers, RFC 6598; a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback, RFC 1122
        "168.63.129.16/32",  # Azure's own services, on an address that looks public
        "169.254.0.0/16",  # link local, RFC 3927; most clouds' metadata at 169.254.169.254
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890; a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "192.168.0.0/16",  # private, RFC 1918
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 1112
        "240.0.0.0/4",  # reserved, RFC 1112, and limited broadcast, RFC 919
        "2001::/23",  # protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID and ORCHIDv2, AMT, AS112, drones
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: an IPv4 address of any kind inside
        "2620:4f:8000::/48",  # AS112, RFC 7534
        "3fff::/20",  # documentation, RFC 9637
    )
)
"""Never the address of somebody else's web server."""


def is_public(address: Address) -> bool:
    """Say whether an address belongs to a host on the internet, not to this machine or a network around it."""
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address not in GLOBAL_UNICAST):
        return False
    return not any(address in network for network in SPECIAL)


@dataclass(frozen=True, slots=True)
class AllowedAddresses:
    """What FETCH_ALLOWED_PRIVATE_HOSTS names."""

    names: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> AllowedAddresses:
        """Read names, addresses and networks.

        Raises:
            ValueError: an entry is none of these.
        """
        names, networks = set(), []
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                if not is_host_name(entry.lower()):
                    raise ValueError(
                        f"{entry!r} is neither a host name nor an address nor a network without host bits"
                    ) from None
                names.add(entry.lower())
        return cls(frozenset(names), tuple(networks))

    def admits(self, host: str, address: Address) -> bool:
        """Say whether a host may have this address although it is not public."""
        return host in self.names or any(address in network for network in self.networks)
