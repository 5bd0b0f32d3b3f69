"""Comparing and judging URIs, by simple linear string work (no regular expression over client input)."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

MAX_URI_LENGTH = 2048
"""Characters a redirect URI may have."""

FORBIDDEN_SCHEMES = frozenset(
    {
        "about",
        "blob",
        "data",
        "file",
        "filesystem",
        "ftp",
        "javascript",
        "mailto",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    }
)
"""Never a redirect target, whatever ALLOWED_REDIRECT_URI_SCHEMES says (attack S03)."""

LOOPBACK_ADDRESSES = ("127.0.0.1", "[::1]")
"""Literal loopback addresses; `localhost` is a name and may resolve elsewhere (RFC 8252 §8.3)."""

_NEVER_PLAIN = frozenset(' "<>\\^`{|}')

_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_plain(uri: str) -> bool:
    """Say whether a URI has only characters that stand in URIs as they are (RFC 3986 §2)."""
    return uri.isascii() and uri.isprintable() and _NEVER_PLAIN.isdisjoint(uri)


def _split(uri: str) -> SplitResult | None:
    """Split a URI, or return None for one that no browser and no client would read alike."""
    if not uri or len(uri) > MAX_URI_LENGTH or not is_plain(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_host(parts: SplitResult) -> bool:
    """Say whether a URI's host is a name (RFC 1123 §2.1, `_` too) or an address, so that it may stand in a header.

    urlsplit lets much pass that ends a word elsewhere: `a,b` and `a;b` in a Content-Security-Policy (CSP §2.2).
    """
    host = parts.hostname or ""
    written, netloc = f"[{host}]" if ":" in host else host, parts.netloc.rpartition("@")[2].lower()
    if not netloc.startswith(written) or netloc[len(written) :][:1] not in ("", ":"):
        return False
    labels = host.removesuffix(".").split(".")
    if (
        ":" in host or labels[-1].isdigit() or labels[-1].startswith("0x")
    ):  # else read as an IPv4 address by browsers
        try:
            ip_address(host)
        except ValueError:
            return False
        return "%" not in host
    return len(host) <= 253 and all(
        1 <= len(label) <= 63 and _HOST_CHARACTERS.issuperset(label) and not label.startswith("-")
        for label in labels
    )


def _loopback_prefix(uri: str, hosts: Collection[str]) -> tuple[str, str] | None:
    """Return (before the port, behind the port) of an http URI on one of these hosts."""
    for host in hosts:
        prefix = f"http://{host}"
        if not uri.startswith(prefix):
            continue
        rest = uri[len(prefix) :]
        if rest.startswith(":"):
            digits = len(rest[1:]) - len(rest[1:].lstrip("0123456789"))
            if not 1 <= digits <= 5 or int(rest[1 : 1 + digits]) > 65535:
                return None
            rest = rest[1 + digits :]
        if rest and rest[0] not in "/?":
            return None
        return prefix, rest
    return None


def redirect_uri_matches(registered: str, presented: str, *, native: bool, localhost: bool = False) -> bool:
    """Compare two redirect URIs as strings (RFC 9700 §2.1); native clients may vary the loopback port.

    `localhost` says whether that name counts as a loopback address (RFC 8252 §8.3 advises against it).
    """
    if registered == presented:
        return True
    if not native or _split(presented) is None:
        return False
    hosts = (*LOOPBACK_ADDRESSES, "localhost") if localhost else LOOPBACK_ADDRESSES
    known, given = _loopback_prefix(registered, hosts), _loopback_prefix(presented, hosts)
    return known is not None and known == given


def redirect_uri_problem(uri: str, schemes: tuple[str, ...], *, native: bool = False) -> str | None:
    """Say what is wrong with a redirect URI about to be registered, or None (RFC 6749 §3.1.2, RFC 8252).

    `schemes` are those allowed by setting or client. http is accepted on loopback hosts only.
    """
    parts = _split(uri)
    if parts is None:
        return "is not a plain ASCII URI"
    scheme = parts.scheme.lower()
    if not scheme or scheme in FORBIDDEN_SCHEMES:
        return "has a scheme that may never be redirected to" if scheme else "is not absolute"
    if scheme not in {known.lower() for known in schemes} and not (native and "." in scheme):
        return f"has the scheme {scheme!r}; allowed: {', '.join(schemes)} (see ALLOWED_REDIRECT_URI_SCHEMES)"
    if "#" in uri:
        return "has a fragment"
    if scheme in _DEFAULT_PORTS:
        problem = _web_uri_problem(parts, scheme)
    else:
        problem = None if parts.netloc or parts.path else "has neither host nor path"
    if problem is None and parts.hostname and not _is_host(parts):
        problem = "has a host that is neither a name nor an address"
    return problem


def _web_uri_problem(parts: SplitResult, scheme: str) -> str | None:
    host = parts.hostname or ""
    if not host:
        return "has no host"
    if "@" in parts.netloc:
        return "has user information before the host"
    if host.endswith(".") or "%" in host or "*" in host:
        return "has a host that cannot be compared exactly"
    segments = parts.path.lower().replace("%2e", ".").split("/")
    if "." in segments or ".." in segments:
        return "has dot segments in its path"
    if scheme == "http" and not is_loopback_host(host):
        return "uses http on a host that is not loopback; use https"
    return None


def is_loopback_host(host: str) -> bool:
    """Say whether a host (without port, without brackets) is this machine."""
    return host in {"127.0.0.1", "::1", "localhost"}


def uri_host(uri: str) -> str:
    """Return the lower-case host of a URI without brackets, empty when it has none."""
    parts = _split(uri)
    return (parts.hostname or "") if parts else ""


def uri_scheme(uri: str) -> str:
    """Return the lower-case scheme of a URI, empty when it has none."""
    parts = _split(uri)
    return parts.scheme.lower() if parts else ""


def origin_of(uri: str, schemes: Collection[str] = ()) -> str | None:
    """Return scheme://host[:port] of an http or https URI, its default port left out (RFC 6454 §6.2).

    `schemes` are further ones whose URIs have an origin, e.g. `capacitor`.
    """
    parts = _split(uri)
    scheme = parts.scheme.lower() if parts else ""
    if (
        parts is None
        or scheme not in {*_DEFAULT_PORTS, *schemes}
        or not _is_host(parts)
        or "@" in parts.netloc
    ):
        return None
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(scheme)) else f":{parts.port}"
    return f"{scheme}://{host}{port}"


def origin_matches(registered: str, origin: str) -> bool:
    """Compare the origin of a registered URI with a browser's Origin header value."""
    known = origin_of(registered)
    return known is not None and known == origin_of(origin) and not urlsplit(origin).path


def issuer_problem(issuer: str) -> str | None:
    """Say what is wrong with OIDC_ISS_ENDPOINT, or None."""
    if origin_of(issuer) is None or "?" in issuer or "#" in issuer:
        return "an https URL in plain ASCII without query, fragment or user is needed"
    parts = urlsplit(issuer)
    if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        return "http is for loopback only; use https"
    return None


def is_below(url: str, resource: str) -> bool:
    """Say whether a URL is that of a resource, or below it by whole segments of the path."""
    try:
        (here, at), (there, below) = _address(url), _address(resource)
    except ValueError:
        return False
    return here == there and (at == below or at.startswith(f"{below.rstrip('/')}/"))


def _address(url: str) -> tuple[tuple[str, str, int | None], str]:
    """Return scheme, host and port of a URL, and its path.

    Raises:
        ValueError: it is none, or has parts that are compared with nothing.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname:
        raise ValueError(f"{url!r} is not the URL of a server")
    return (parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)), parts.path or "/"


def is_native_client(client_type: str, redirect_uris: tuple[str, ...]) -> bool:
    """Say whether a client looks native: public, and only loopback or private-use URIs (RFC 8252 §7)."""
    loopback = tuple(f"http://{address}" for address in LOOPBACK_ADDRESSES)
    return (
        client_type == "public"
        and bool(redirect_uris)
        and all(
            "." in uri_scheme(uri) or (origin_of(uri) or "").startswith(loopback) for uri in redirect_uris
        )
    )
