"""Server metadata of the OAuth endpoints (RFC 8414 §2, RFC 9207 §3)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from portula import Plugin, hookimpl
from portula_oauth2.grant import registrable_grant_types
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from portula import Provider


def _scopes(provider: Provider) -> list[str]:
    """Return the scopes there are; a backend may keep them in a table, which need not be there at start."""
    return [*provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes(), *provider.scope_texts]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata; everything follows from what is installed."""
    methods, settings = list(provider.client_auth_methods), provider.settings(OAuth2Settings)
    return {
        "authorization_endpoint": "authorize/",
        "token_endpoint": "token/",
        "revocation_endpoint": "revoke_token/",
        "scopes_supported": partial(_scopes, provider),
        "response_types_supported": provider.response_types,
        "response_modes_supported": settings.RESPONSE_MODES_SUPPORTED or frozenset(provider.response_modes),
        "grant_types_supported": registrable_grant_types(provider),
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": settings.CODE_CHALLENGE_METHODS,
        "authorization_response_iss_parameter_supported": True,
    }


@hookimpl
def portula_scopes(provider: Provider) -> dict[str, str]:
    """Return the scope of refresh tokens (OpenID Connect Core §11)."""
    return {"offline_access": "Keep access while you are away"}
