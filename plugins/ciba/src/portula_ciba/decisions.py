"""Deciding about a request: what the page does, and an app on the person's telephone may do by itself.

An app of yours that has authenticated its person lists what waits for them and decides in their name, in a view of
your own:

    for waiting in waiting_requests(provider, person.subject): …
    decide(provider, person, waiting.request_id, allowed=True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from portula import Plugin
from portula.errors import (
    AccessDeniedError,
    Conflict,
    InvalidRequestError,
    LoginRequired,
    RetryLater,
    RuleFailed,
)
from portula.plugin import (
    Artifact,
    ConsentGiven,
    Interaction,
    Plan,
    is_pending,
    page_exchange_about,
    plan_authorization_records,
)
from portula_ciba import requests
from portula_ciba.exchange import CibaPageExchange
from portula_ciba.ping import plan_ping
from portula_ciba.settings import GRANT_TYPE

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthenticatedUser, Demands, Pairs

TRIES = 20


class NoSuchRequest(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """No request of this identifier waits for this person."""

    description = (
        "Nothing waits for you here. It was answered, its time is over, or it is for another account."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingRequest:
    """A request that waits for a person."""

    request_id: str
    client: Application
    scope: tuple[str, ...]
    binding_message: str | None
    begun_at: int
    """Unix seconds, as `expires_at`."""
    expires_at: int


def waiting_requests(provider: Provider, subject: str) -> list[WaitingRequest]:
    """Return what waits for a person, the newest first."""
    found = []
    for pending in requests.waiting_for(provider, subject):
        client = provider.clients.find(pending.client_id or "")
        if client is not None:
            found.append(
                WaitingRequest(
                    request_id=pending.digest,
                    client=client,
                    scope=tuple(pending.payload["scope"]),
                    binding_message=pending.payload[requests.BINDING_MESSAGE],
                    begun_at=pending.issued_at,
                    expires_at=pending.payload["ends_at"],
                )
            )
    return found


def decide(
    provider: Provider, person: AuthenticatedUser, request_id: str, *, allowed: bool
) -> Demands | None:
    """Decide about a request in the name of its person, in a view of the current Flask request.

    What plugins demand of a person is demanded here too: who is to sign in again has signed in since the client asked.

    Args:
        provider: whose request it is.
        person: who decides, and how and when they authenticated to whoever calls.
        request_id: of `WaitingRequest`, or of the event `portula_ciba_requested`.
        allowed: what they decide.

    Returns:
        What plugins demanded, `items` among it, which the person has to have been shown; None for a denial.

    Raises:
        InvalidRequestError: no such request waits for the person, or its client may not ask for this any more.
        LoginRequired: the person has to sign in again first; then `person` says when they did.
        OAuth2Error: a plugin denies it; then the client hears that too.
    """
    for _ in range(TRIES):
        exchange = exchange_about(provider, person, request_id, [])
        if not is_pending(provider, exchange.pending):
            raise NoSuchRequest
        exchange.login = person
        try:
            demands = _demands(exchange, person) if allowed else None
            plan_answer(exchange, allowed=allowed)
            if demands is not None:
                _remember(exchange, demands)
            exchange.apply()
        except Conflict:  # the client polls
            continue
        except RuleFailed:
            raise
        except AccessDeniedError:
            deny(provider, exchange.pending)
            raise
        if demands is not None:
            _tell(exchange, demands)
        return demands
    raise RetryLater("The client polls too often.", 1)


def _demands(exchange: CibaPageExchange, person: AuthenticatedUser) -> Demands:
    interaction = Interaction(
        provider=exchange.provider,
        request=exchange.request,
        user=person,
        fresh=person.auth_time >= exchange.pending.issued_at,
    )
    demands = exchange.provider.hooks.require(Plugin.portula_interaction_demands, interaction)
    if demands.login:
        raise LoginRequired(description="The person has to sign in again.", request=exchange.request)
    return demands


def _scopes(exchange: CibaPageExchange, demands: Demands) -> tuple[str, ...]:
    return (*exchange.scope, *sorted(demands.permissions.difference(exchange.scope)))


def _remember(exchange: CibaPageExchange, demands: Demands) -> None:
    """Plan to keep what is allowed, as the page does: the person finds the client among the connected apps."""
    items = (item.memory for item in demands.items if item.memory is not None)
    client, subject = cast("Application", exchange.client), exchange.subject or ""
    consent = exchange.provider.hooks.ask(Plugin.portula_consent)
    consent.remember(client, subject, (*_scopes(exchange, demands), *items), exchange.plan)


def _tell(exchange: CibaPageExchange, demands: Demands) -> None:
    given = ConsentGiven(
        provider=exchange.provider,
        issuer=exchange.issuer,
        client_id=cast("Application", exchange.client).client_id,
        subject=exchange.subject or "",
        scopes=_scopes(exchange, demands),
    )
    exchange.provider.hooks.tell(Plugin.portula_consent_given, given)


def exchange_about(
    provider: Provider, person: AuthenticatedUser | None, request_id: str, pairs: Pairs
) -> CibaPageExchange:
    """Begin the exchange about a request that is for this person.

    Raises:
        NoSuchRequest: there is none.
    """
    pending = None if person is None else requests.of_user(provider, person.subject, request_id)
    if pending is None:
        raise NoSuchRequest
    exchange = page_exchange_about(CibaPageExchange, provider, pending, pairs, GRANT_TYPE)
    exchange.pending = pending
    return exchange


def plan_answer(exchange: CibaPageExchange, *, allowed: bool) -> None:
    """Plan what follows of a decision: the authorization, the end of the request, and that its client is told."""
    given = None
    if allowed:
        given = exchange.begin(expires_at=exchange.pending.expires_at).id
        plan_authorization_records(exchange)
    requests.plan_decision(exchange.plan, exchange.pending, given)
    plan_ping(exchange.provider, exchange.plan, exchange.pending)


def deny(provider: Provider, pending: Artifact) -> None:
    """Let the client hear that a request is denied, unless somebody has decided.

    Raises:
        RetryLater: the client polls at each moment at which that is tried.
    """
    for _ in range(TRIES):
        plan, subject = Plan(), pending.payload[requests.SUBJECT]
        found = requests.of_user(provider, subject, pending.digest)
        if found is None or not is_pending(provider, found):
            return
        requests.plan_decision(plan, found, None)
        plan_ping(provider, plan, found)
        try:
            provider.storage.apply(plan)
        except Conflict:
            continue
        return
    raise RetryLater("The client polls too often.", 1)
