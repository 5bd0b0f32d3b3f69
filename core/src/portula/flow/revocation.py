"""The revocation endpoint (RFC 7009): its steps, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from oauthlib.oauth2.rfc6749 import errors

from portula.flow import token
from portula.flow.event_hooks import EventHooks
from portula.flow.exchange import TokenExchange
from portula.flow.steps import Steps, step

if TYPE_CHECKING:
    from portula.flow.server import Server


def token_parameter(exchange: TokenExchange) -> None:
    """Require a token; the hint beside it only says where to look, and is not needed (RFC 7009 §2.1)."""
    request = exchange.request
    if not request.token:
        raise errors.InvalidRequestError(description="Missing token parameter.", request=request)


def revoke(exchange: TokenExchange) -> None:
    """Plan the end of the token if it is the client's own; anything else changes nothing and is no error."""
    request = exchange.request
    server = cast("Server", exchange.server)
    server.request_validator.revoke_token(request.token, request.token_type_hint, request)


def apply(exchange: TokenExchange) -> None:
    """Apply the plan."""
    exchange.apply()


def tell(exchange: TokenExchange) -> None:
    """Tell what happened."""
    for event in exchange.events:
        exchange.provider.hooks.tell(EventHooks.portula_token_revoked, event)


REVOCATION_STEPS: Steps[TokenExchange] = Steps(
    "revoke_token",
    [
        step(token.read, sets="request"),
        step(token.client, reads="request", sets="client client_auth_method"),
        step(token_parameter, reads="request client"),
        step(revoke, reads="client", sets="plan events"),
        step(apply, reads="plan"),
        step(tell, reads="events"),
    ],
    closed=("revoke", "apply"),
    by_server=True,
)
