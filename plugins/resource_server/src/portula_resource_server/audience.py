"""Whether a token is for this server (RFC 8707 §2, attack S29): one that was given for another is of no use here."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portula_resource_server.settings import ResourceServerSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula_resource_server.tokens import VerifiedToken

_PORTS = {"https": 443, "http": 80}


def audience_of(token: VerifiedToken) -> list[str]:
    """Return whom a token is for; nobody in particular where it names none (RFC 7662 §2.2)."""
    named = token.claims.get("aud")
    return [named] if isinstance(named, str) else list(named or ())


def is_for_this_server(provider: Provider, token: VerifiedToken) -> bool:
    """Say whether a token may be used at the current request.

    The URL of the request begins with that of the issuer's app, never with what the header `Host` says. A server that
    asks elsewhere and names no audience of its own leaves it to the introspection endpoint, which shows a token that is
    for somebody to nobody else.
    """
    settings, audience = provider.settings(ResourceServerSettings), audience_of(token)
    if not audience or not set(audience).isdisjoint(settings.RESOURCE_SERVER_AUDIENCES):
        return True
    validator = settings.RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR
    if validator is None and settings.issuer_is_elsewhere:
        return not settings.RESOURCE_SERVER_AUDIENCES
    url = f"{provider.root_of(provider.current_issuer())}{provider.current_message().path}"
    if validator is not None:
        return validator(url, audience) is True
    return any(is_below(url, named) for named in audience)


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
    return (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)), parts.path or "/"
