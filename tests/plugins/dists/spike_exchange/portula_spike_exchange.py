"""Token exchange (RFC 8693): a client gets a token of its own for the person whose token it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from portula import errors, hookimpl
from portula.plugin import ExtensionGrant, IntrospectionResponse

if TYPE_CHECKING:
    from portula.plugin import Exchange, GrantFactory, Provider, TokenExchange

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ROOM = "spike_exchange"


class ExchangeGrant(ExtensionGrant):
    def check(self, exchange: TokenExchange) -> None:
        if exchange.parameter("subject_token_type") != ACCESS_TOKEN:
            raise errors.InvalidRequestError(
                description="subject_token_type has to be that of an access token."
            )
        live = exchange.provider.validator.find_live_access_token(exchange.parameter("subject_token") or "")
        if live is None or live.token.subject is None:
            raise errors.InvalidRequestError(description="subject_token does not count here.")
        granted = live.token.scope.split()
        exchange.request.user = live.token.subject
        exchange.request.scopes = [scope for scope in exchange.scope or granted if scope in granted]
        if not exchange.request.scopes:
            raise errors.InvalidScopeError
        before = live.authorization.facts.get(ROOM) if live.authorization else None
        act = {"client_id": exchange.client.client_id if exchange.client else None}
        exchange.facts[ROOM] = {"act": {**act, **(before or {})}}


@hookimpl
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    return {GRANT: ExchangeGrant}


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    if exchange.request.grant_type == GRANT and exchange.issue is not None:
        exchange.issue.members["issued_token_type"] = ACCESS_TOKEN


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> Mapping[str, object] | None:
    return answer.authorization.facts.get(ROOM) if answer.authorization else None
