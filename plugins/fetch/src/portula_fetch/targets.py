"""Reads the URL of a fetch, and refuses every form that two programs could read differently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from portula.errors import FetchFailed
from portula.plugin import origin_of

HTTPS_PORT = 443
FIRST_UNPRIVILEGED_PORT = 1024
"""Below it live other protocols, which a request could be made to speak to (attack S54)."""

_NAME = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LOOKS_LIKE_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""The last label decides, as in the URL Standard: `127.1`, `2130706433` and `0x7f000001` are addresses."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes."""

    host: str
    """Lower case; a name in ASCII, or an address without brackets."""
    port: int
    resource: str = field(repr=False)
    """Path and query; never in a message, since it may be a secret."""
    address: Address | None = None
    """The host, if it is an address."""

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what messages name."""
        return f"https://{self.authority}"


def is_host_name(text: str) -> bool:
    """Say whether a lower-case text is the name of a host; international ones are in A-labels (RFC 5890 §2.3.2.1)."""
    return _NAME.fullmatch(text) is not None and _LOOKS_LIKE_A_NUMBER.fullmatch(text) is None


def target_of(url: str, ports: tuple[int, ...]) -> Target:
    """Take a URL apart.

    Args:
        url: https, in ASCII, without user information and fragment; what stands behind `#` is the caller's own.
        ports: allowed ones; empty for 443 and all from 1024 on.

    Raises:
        FetchFailed: it is none of these, or its host is written in a way that is not canonical.
    """
    if not url.lower().startswith("https://") or origin_of(url) is None:
        raise FetchFailed("an https URL in plain ASCII without user information is needed")
    if "#" in url:
        raise FetchFailed("a fragment is not sent; take it off first")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    bracketed = "[" in parts.netloc
    address = _address(host, bracketed=bracketed)
    if address is None and (bracketed or not is_host_name(host)):
        raise FetchFailed("the host is neither a plain name nor a plain address")
    port = HTTPS_PORT if parts.port is None else parts.port
    if not (port in ports if ports else port == HTTPS_PORT or port >= FIRST_UNPRIVILEGED_PORT):
        raise FetchFailed(f"port {port} is not allowed")
    resource = f"{parts.path or '/'}{'?' + parts.query if '?' in url else ''}"
    return Target(host, port, resource, address)


def _address(host: str, *, bracketed: bool) -> Address | None:
    """Return an address literal; None for a name, for one with a zone, and for forms that `ipaddress` does not read."""
    if "%" in host:
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return address if (address.version == 6) is bracketed else None
