"""The event of a refused request, for endpoints that have no event of their own for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthlib.oauth2 import OAuth2Error

from portula.flow.event_hooks import EventHooks
from portula.flow.events import RequestRefused
from portula.flow.exchange import Exchange
from portula.flow.responses import MissingTokenError
from portula.model.errors import AuthorizationRefused, PortulaError

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer


def tell_refusal(
    provider: AuthorizationServer,
    endpoint: str,
    error: Exception,
    exchange: object = None,
    *,
    reason: str | None = None,
) -> None:
    """Tell of a refusal; what is raised for other ends than that, such as a page that is shown first, is none.

    Args:
        provider: whose endpoint it is.
        endpoint: its name.
        error: what a step refused with.
        exchange: the request; of one that is an `Exchange`, its reason and its client are told.
        reason: why, for operators, where it is not on the exchange; what the client is told is said without one.
    """
    if isinstance(error, AuthorizationRefused):
        error = error.error
    if not isinstance(error, (OAuth2Error, PortulaError)):
        return
    known = exchange if isinstance(exchange, Exchange) else None
    missing = isinstance(error, MissingTokenError)
    event = RequestRefused(
        provider=provider,
        endpoint=endpoint,
        error="missing_token" if missing else str(getattr(error, "error", None) or "temporarily_unavailable"),
        client_id=known.client.client_id if known is not None and known.client is not None else None,
        reason=(known.reason if known is not None else reason) or _description_of(error),
        repeats=known is not None and known.is_told,
    )
    provider.hooks.tell(EventHooks.portula_request_refused, event)


def _description_of(error: Exception) -> str | None:
    if isinstance(error, MissingTokenError):
        return None
    return (error.description if isinstance(error, OAuth2Error) else str(error)) or None
