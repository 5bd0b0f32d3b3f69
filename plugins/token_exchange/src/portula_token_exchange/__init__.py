"""Tokens for tokens: a client gets one of its own for one that it was sent, where a policy allows it.

Source: RFC 8693.
It never exchanges anything without a policy, or gives a token that is wider than the one it is made of, lives longer,
or outlives the authorization of its person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_token_exchange.answers import (
    portula_id_token_claims,
    portula_introspection_response,
)
from portula_token_exchange.grant import (
    portula_grant_types,
    portula_metadata,
    portula_shape_token,
    portula_steps,
    portula_token_formats,
    portula_validate_token_request,
)
from portula_token_exchange.hooks import (
    ExchangedToken,
    ExchangeRequest,
    RequestedTokenType,
    TokenExchangeHooks,
    TokenExchangePolicy,
)
from portula_token_exchange.settings import TokenExchangeSettings
from portula_token_exchange.trial import portula_grant_trials

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import HookDeclarations

__all__ = [
    "ExchangeRequest",
    "ExchangedToken",
    "RequestedTokenType",
    "TokenExchangePolicy",
    "portula_grant_trials",
    "portula_grant_types",
    "portula_id_token_claims",
    "portula_introspection_response",
    "portula_metadata",
    "portula_shape_token",
    "portula_steps",
    "portula_token_formats",
    "portula_validate_token_request",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the slot of the policy, and the hook of further token types."""
    return [TokenExchangeHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[TokenExchangeSettings]]:
    """Return the settings of this room."""
    return [TokenExchangeSettings]
