"""The form of resource URIs (RFC 8707 §2, RFC 3986)."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

MAX_CHARACTERS = 2048
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!$&-;=?-Z_a-z~%\[\]]+")
_DOTS = frozenset({".", "..", "%2e", "%2e%2e", ".%2e", "%2e."})


def problem_of(uri: str) -> str | None:
    """Say why a text is not the absolute URI of a resource; None when it is.

    Absolute means with a scheme and without a fragment (RFC 3986 §4.3). A user before the host, and dots as segments of
    the path, make a URI look like another one; no resource needs them.
    """
    if len(uri) > MAX_CHARACTERS:
        return f"has more than {MAX_CHARACTERS} characters"
    if _ABSOLUTE.fullmatch(uri) is None:
        return "is no absolute URI without a fragment"
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "has no such host or port"
    if parts.scheme in ("http", "https") and not parts.hostname:
        return "has no host"
    if "@" in parts.netloc:
        return "names a user"
    return "has dots for a segment" if _DOTS & set(parts.path.lower().split("/")) else None


def as_registered(uri: str, registered: Collection[str]) -> str:
    """Return how a URI is registered: `https://host` and `https://host/` are the same (RFC 3986 §6.2.3)."""
    if uri in registered or urlsplit(uri).query:
        return uri
    other = {"": f"{uri}/", "/": uri.removesuffix("/")}.get(urlsplit(uri).path, uri)
    return other if other in registered else uri
