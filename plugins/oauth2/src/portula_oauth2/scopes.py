"""Scopes that a request is read without (RFC 6749 §3.3, OpenID Connect Core §3.1.2.1, §11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import InvalidScopeError
from portula.plugin import printable
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer, OAuthRequest

OPENID, OFFLINE = "openid", "offline_access"


def known_scopes(provider: AuthorizationServer, scopes: Sequence[str], request: OAuthRequest) -> list[str]:
    """Return the scopes of a request without those that nobody knows, where IGNORE_UNKNOWN_SCOPES leaves these out.

    Of an OpenID Connect request of which no code comes `offline_access` is left out (Core §11).

    Raises:
        InvalidScopeError: it does not, or none would be left.
    """
    known = {*provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes(), *provider.scope_texts}
    if OPENID in scopes and request.response_type and "code" not in request.response_type.split():
        scopes = [scope for scope in scopes if scope != OFFLINE]
    names = [scope for scope in scopes if scope in known]
    ignored = provider.settings(OAuth2Settings).IGNORE_UNKNOWN_SCOPES
    if not names or not (ignored is True or (ignored == OPENID and OPENID in names)):
        refuse_scopes("Nobody here knows", [scope for scope in scopes if scope not in known], request)
    return names


def may_have(client: Application | None, scope: str) -> bool:
    """Say whether a client is registered with a scope, so that it may request access tokens for it (RFC 7591 §2)."""
    return client is None or client.scope is None or scope in client.scope.split()


def barred_scopes(
    provider: AuthorizationServer, scopes: Sequence[str], client: Application | None, request: OAuthRequest
) -> list[str]:
    """Return those of some scopes that a client may not have now.

    Neither the backend nor a room has them for it, or it is not registered with them.
    """
    backend = provider.hooks.ask(Plugin.portula_scopes_backend)
    available = {*backend.get_available_scopes(client, request), *provider.scope_texts}
    return [scope for scope in scopes if not (scope in available and may_have(client, scope))]


def still_allowed(provider: AuthorizationServer, granted: str, request: OAuthRequest) -> list[str]:
    """Return the scopes that were granted to a client, without those that it has lost since.

    Raises:
        InvalidScopeError: it has lost all of them.
    """
    scopes = granted.split()
    lost = barred_scopes(provider, scopes, request.client, request)
    left = [scope for scope in scopes if scope not in lost]
    if not left:
        refuse_scopes("This client may no longer have", scopes, request)
    return left


def refuse_scopes(problem: str, scopes: Sequence[str], request: OAuthRequest) -> None:
    """Refuse a request for these scopes, by name; do nothing when there are none.

    Raises:
        InvalidScopeError: there are some.
    """
    if scopes:
        named = " ".join(dict.fromkeys(scopes))
        plural = "s" if len(set(scopes)) > 1 else ""
        raise InvalidScopeError(
            description=f"{problem} the scope{plural} {printable(named)}.", request=request
        )
