"""Authorization details in requests, and on the consent page (RFC 9396 §3, §5, §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Demands, Step, TokenExchange, exchange_of
from portula_rar.details import (
    PARAMETER,
    InvalidAuthorizationDetails,
    details_in,
    granted_details,
    is_narrower,
    judge,
    recall,
    remember,
    types_of,
)
from portula_rar.words import item_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Interaction


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Judge the details of an authorization request.

    Raises:
        InvalidAuthorizationDetails: see `judge`.
    """
    text = exchange.parameter(PARAMETER)
    if text is not None and types_of(exchange.provider):
        remember(exchange, judge(exchange, text))


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Ask the person about each of the details, beside the scopes (RFC 9396 §3.1).

    A device, or a till, asked before the person came: what has become of its client or of a type in between is asked
    about neither in part nor in silence.

    Raises:
        InvalidAuthorizationDetails: the client may not ask for some of the details any more.
    """
    exchange = exchange_of(interaction.request)
    details = recall(exchange)
    if len(details) < len(details_in(exchange.facts)):
        raise InvalidAuthorizationDetails(description="The app may not ask for this any more.")
    return Demands(items=tuple(item_of(detail) for detail in details)) if details else None


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the step that judges the details of token requests; none where there are no types."""
    if not types_of(provider):
        return []
    reads = frozenset({"client", "scope"})
    return [
        Step(
            endpoint="token",
            name=PARAMETER,
            run=token_details,
            after="authorization",
            reads=reads,
            guards=True,
        )
    ]


def token_details(exchange: TokenExchange) -> None:
    """Judge the details that a token request names: no more than was granted (RFC 9396 §6).

    Where no person was asked, a client names what it may have for itself. What is granted stays as it is: the token has
    what is named.
    """
    if exchange.for_another_server:
        return
    details, text = granted_details(exchange), exchange.parameter(PARAMETER)
    if text is not None:
        named = judge(exchange, text)
        if exchange.authorization is not None:
            if not is_narrower(named, details):
                raise InvalidAuthorizationDetails(description=f"{PARAMETER}: more than was granted.")
        elif named and (exchange.subject is not None or not all(each.kind.for_clients for each in named)):
            raise InvalidAuthorizationDetails(description=f"{PARAMETER}: there is nobody to be asked.")
        details = named
    remember(exchange, details)
