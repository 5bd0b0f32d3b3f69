"""Requests that wait for a person who is not at the client's browser, while the client polls for its tokens.

Sources: RFC 8628 §3.3 to §3.5 (devices), OpenID Connect Client-Initiated Backchannel Authentication §7, §10, §11. What
is asked for stands in an artifact, and so does what becomes of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidGrantError, InvalidRequestError
from oauthlib.oauth2.rfc8628.errors import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from portula.flow.grants import ExtensionGrant
from portula.flow.responses import RetryLater
from portula.flow.revoking import is_of_removed_client
from portula.model.errors import Conflict
from portula.model.plans import Plan
from portula.model.records import Application, Artifact, Authorization

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.exchange import AuthorizationExchange, PageExchange, TokenExchange
    from portula.flow.messages import Pairs

    X = TypeVar("X", bound=PageExchange)

PENDING_KEEP_SECONDS = 600
"""How long a request is kept that is over, so that its client hears that it is."""

SLOWER_BY_SECONDS = 5
MAX_INTERVAL = 60
"""Seconds: a client that was told so often to slow down is not listened to any more while it comes too early."""

SCOPE, RESOURCES, FACTS, PARAMETERS = "scope", "resources", "facts", "parameters"
ENDS_AT, INTERVAL, POLLED_AT = "ends_at", "interval", "polled_at"
AUTHORIZATION, DENIED = "authorization", "denied"
"""Members of the payload; the last two say what the person decided."""


def pending_payload(exchange: AuthorizationExchange, *, ends_at: int, interval: int) -> dict[str, Any]:
    """Return the members that every pending request has: what is asked for, until when, and how often to poll."""
    return {
        SCOPE: list(exchange.scope),
        RESOURCES: list(exchange.resources),
        FACTS: exchange.facts,
        PARAMETERS: dict(exchange.pairs),
        ENDS_AT: ends_at,
        INTERVAL: interval,
    }


def is_pending(provider: AuthorizationServer, request: Artifact) -> bool:
    """Say whether nobody has decided about a request, and its time is not over."""
    return request.payload[ENDS_AT] > provider.now() and request.payload.keys().isdisjoint(
        {AUTHORIZATION, DENIED}
    )


def change_pending(plan: Plan, request: Artifact, **members: Any) -> None:
    """Plan to change members of a request's payload; the plan fails with Conflict when somebody else does."""
    payload = {**request.payload, **members}
    plan.change(request, given={"version": request.version}, version=request.version + 1, payload=payload)


def decide_pending(plan: Plan, request: Artifact, authorization: str | None) -> None:
    """Plan that a person allowed a request, under the authorization of this identifier, or denied it."""
    members = {DENIED: True} if authorization is None else {AUTHORIZATION: authorization}
    change_pending(plan, request, **members)


def page_exchange_about(
    kind: type[X], provider: AuthorizationServer, request: Artifact, pairs: Pairs, grant_type: str
) -> X:
    """Begin the exchange of a page that asks about a request, whose client may still ask for it.

    Args:
        kind: class of the exchange.
        provider: who answers.
        request: what waits.
        pairs: parameters of the page.
        grant_type: by which the client gets its tokens.

    Raises:
        InvalidRequestError: there is no such client any more, or it may not ask for this any more.
    """
    payload = request.payload
    exchange = kind.about(provider, request.client_id or "", payload[SCOPE], pairs, payload[PARAMETERS])
    exchange.resources, exchange.facts = tuple(payload[RESOURCES]), payload[FACTS]
    client, asked, validator = exchange.client, exchange.request, provider.validator
    if (
        client is None
        or is_of_removed_client(client, request.issued_at)
        or not client.is_usable(asked)
        or not validator.validate_grant_type(client.client_id, grant_type, client, asked)
        or not validator.validate_scopes(client.client_id, list(exchange.scope), client, asked)
    ):
        raise InvalidRequestError(description="The app may not ask for this any more.")
    return exchange


class PollingGrant(ExtensionGrant, ABC):
    """A grant type whose client polls until a person has decided; then it gets what they allowed, once."""

    refreshable = True

    parameter: ClassVar[str]
    """Name of the parameter that names the request."""

    too_often_status: ClassVar[int] = 429
    """HTTP status for a client that goes on polling too early when its interval is as long as it can be."""

    @abstractmethod
    def find(self, provider: AuthorizationServer, value: str) -> Artifact | None:
        """Return the request that a value of the parameter names, whatever has become of it."""

    def prove(self, exchange: TokenExchange, pending: Artifact) -> None:
        """Refuse a client that does not prove what its request demands, e.g. a verifier (RFC 7636); nothing here."""

    def check(self, exchange: TokenExchange) -> None:
        """Find out what has become of a request.

        Raises:
            InvalidGrantError: it is unknown, used or another client's; it is left as it is.
            AuthorizationPendingError, SlowDownError: nobody has decided yet.
            AccessDeniedError: the person denied it.
            ExpiredTokenError: its time is over.
        """
        provider, value = exchange.provider, exchange.parameter(self.parameter)
        if value is None:
            raise InvalidRequestError(
                description=f"Missing {self.parameter} parameter.", request=exchange.request
            )
        provider.client_cache.confirm(exchange.client)  # that it asked is written, whatever it is told
        pending, client = self.find(provider, value), cast("Application", exchange.client)
        if (
            pending is None
            or pending.client_id != client.client_id
            or pending.taken_at is not None
            or is_of_removed_client(client, pending.issued_at)
        ):
            exchange.reason = f"the {self.parameter} is unknown, used, or another client's"
            raise InvalidGrantError(request=exchange.request)
        self.prove(exchange, pending)
        if DENIED in pending.payload:
            raise AccessDeniedError(request=exchange.request)
        if pending.payload[ENDS_AT] <= provider.now():
            raise ExpiredTokenError(request=exchange.request)
        if AUTHORIZATION not in pending.payload:
            self._wait(exchange, pending)
        self._redeem(exchange, pending)

    def _wait(self, exchange: TokenExchange, pending: Artifact) -> NoReturn:
        """Write down that the client has polled; who comes too early has longer to wait from now on.

        Times are whole seconds, so that a second is given.
        """
        provider, now = exchange.provider, exchange.provider.now()
        interval, polled_at = pending.payload[INTERVAL], pending.payload.get(POLLED_AT)
        too_early = polled_at is not None and now - polled_at < interval - 1
        if too_early and interval >= MAX_INTERVAL:
            raise RetryLater(
                "The client polls too often.", polled_at + interval - now, status=self.too_often_status
            )
        plan, slower = Plan(), SLOWER_BY_SECONDS if too_early else 0
        change_pending(plan, pending, **{POLLED_AT: now, INTERVAL: interval + slower})
        try:
            provider.storage.apply(plan)
        except Conflict:  # it polls twice at one moment, or its person decides
            too_early = True
        raise (SlowDownError if too_early else AuthorizationPendingError)(request=exchange.request)

    def _redeem(self, exchange: TokenExchange, pending: Artifact) -> None:
        self.redeem(exchange, pending.payload[AUTHORIZATION])
        given = cast("Authorization", exchange.authorization)
        if self.validator.active_person(given.subject) is None:
            exchange.reason = "the person is not active"
            raise InvalidGrantError(request=exchange.request)
        exchange.plan.take(pending, at=exchange.provider.now())
