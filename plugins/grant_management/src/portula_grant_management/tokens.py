"""Tokens of grants: whose code is redeemed, what they may have, and how long the grant is kept (§5.5, RFC 6749 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidGrantError, InvalidTargetError
from portula.plugin import Artifact, Plan, Step, may_have_scope
from portula_grant_management.grants import (
    ACTION,
    GRANT_ID,
    PARTS,
    ROOM,
    find_grant,
    leads_to,
    new_pointer,
    plan_take_over,
    pointer_digest,
    state_of,
)
from portula_grant_management.joining import merge, scopes_for
from portula_grant_management.settings import CREATE, MERGE, is_on, settings_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Authorization, Exchange, PlanPart, TokenExchange, TokenIssued

_REFRESH = "refresh_token"


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the step by which a grant is merged or replaced; none while the room is off."""
    if not is_on(provider):
        return []
    reads, sets = frozenset({"client", "scope"}), frozenset({"authorization"})
    step = Step(
        endpoint="token", name="grant", run=grant, before="authorization", reads=reads, sets=sets, guards=True
    )
    return [step]


def grant(exchange: TokenExchange) -> None:
    """Let what a person allowed take the place of the grant that it was asked for (Grant Management §5.2).

    It happens as the code is redeemed and not before, so that a client keeps working tokens until it has new ones.
    """
    given, client = exchange.authorization, exchange.client
    state = state_of(given, client)
    if state is None or given is None or exchange.refresh_token is not None or state[ACTION] == CREATE:
        return
    former = find_grant(exchange.provider, state[GRANT_ID], client)
    if former is None or former.authorization.subject != given.subject:
        exchange.reason = "the grant has ended since the person was asked"
        raise InvalidGrantError(description="The grant has ended.", request=exchange.request)
    if leads_to(former, given):  # a token of it is exchanged (RFC 8693)
        return
    if state[ACTION] == MERGE:
        _merge(exchange, former.authorization, given)
    plan_take_over(exchange, former, given)


def _merge(exchange: TokenExchange, former: Authorization, given: Authorization) -> None:
    """Go on under the authorization of both decisions, for all scopes that the client may still have."""
    merged = merge(exchange.provider, former, given)
    exchange.plan.change(given, scope=merged.scope, resources=merged.resources, facts=merged.facts)
    exchange.authorization = merged
    exchange.facts = {name: dict(facts) for name, facts in merged.facts.items()}
    scopes = list(exchange.scope)
    more = [
        scope for scope in merged.scope.split() if scope not in scopes and may_have_scope(exchange, scope)
    ]
    exchange.request.scopes = [*scopes, *more]


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    """Tell the client the grant, and give a token no scope at a resource for which it was not allowed.

    Raises:
        InvalidTargetError: no scope was allowed for all resources of the token.
    """
    state, issue = state_of(exchange.authorization, exchange.client), exchange.issue
    if state is None or issue is None or exchange.for_another_server or not is_on(exchange.provider):
        return
    issue.members[GRANT_ID] = state[GRANT_ID]
    if PARTS not in state:
        return
    asked, allowed = issue.scope, scopes_for(state[PARTS], exchange.resources)
    issue.scope = tuple(scope for scope in asked if scope in allowed)
    if asked and not issue.scope:
        raise InvalidTargetError(description="The grant has no scope for all of these resources; name one.")


@hookimpl
def portula_record_token(event: TokenIssued) -> list[PlanPart] | None:
    """Keep the way to a grant from its first token on, and for as long as its authorization.

    Where that has no end, GRANT_MANAGEMENT_IDLE_SECONDS from now on, so that nothing of it stays for ever.
    """
    under, provider, plan = event.authorization_record, event.provider, Plan()
    state = under.facts.get(ROOM) if under is not None and under.client_id == event.client_id else None
    if state is None or under is None:
        return None
    idle = provider.now() + settings_of(provider).GRANT_MANAGEMENT_IDLE_SECONDS
    until = idle if under.expires_at is None else under.expires_at
    digest = pointer_digest(provider, state[GRANT_ID])
    plan.change_all(Artifact, {"digest": digest}, expires_at=until)
    if state[ACTION] == CREATE and event.grant_type != _REFRESH:
        plan.add(new_pointer(provider, state[GRANT_ID], under, until), unless_known=True)
    return plan.parts
