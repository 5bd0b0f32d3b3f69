"""The audience of tokens: one that was issued for another server is refused (RFC 8707 §2, attack S29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from portula.plugin import is_below
from portula_resource_server.settings import ResourceServerSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula_resource_server.tokens import VerifiedToken


def audience_of(token: VerifiedToken) -> list[str]:
    """Return whom a token is for; nobody in particular where it names none (RFC 7662 §2.2)."""
    named = token.claims.get("aud")
    return [named] if isinstance(named, str) else list(named or ())


def current_url(provider: Provider) -> str:
    """Return the URL of the current request without its query; it begins with that of the issuer's app.

    Raises:
        InvalidRequestError: no issuer is fixed, and the host is not one that is trusted.
    """
    return f"{provider.root_of(provider.current_issuer())}{request.path}"


def is_for_this_server(provider: Provider, token: VerifiedToken) -> bool:
    """Say whether a token may be used at the current request.

    The URL of the request is never made of what the header `Host` says. A server that
    asks elsewhere and names no audience of its own leaves it to the introspection endpoint, which shows a token that is
    for somebody to nobody else.
    """
    settings, audience = provider.settings(ResourceServerSettings), audience_of(token)
    if not audience or not set(audience).isdisjoint(settings.RESOURCE_SERVER_AUDIENCES):
        return True
    validator = settings.RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR
    if validator is None and settings.issuer_is_elsewhere:
        return not settings.RESOURCE_SERVER_AUDIENCES
    url = current_url(provider)
    if validator is not None:
        return validator(url, audience) is True
    return any(is_below(url, named) for named in audience)
