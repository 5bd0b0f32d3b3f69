"""The grant type: what is presented, for whom the new token is, and how far it reaches (RFC 8693 §2)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from portula import OAuth2Validator, hookimpl
from portula.errors import (
    ConfigError,
    HookFailed,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
)
from portula.plugin import (
    ENDS_WITH,
    Application,
    Authorization,
    ExtensionGrant,
    Step,
    TokenExchange,
)
from portula_token_exchange.for_others import DETAILS, FORMAT, read_request, require_format
from portula_token_exchange.hooks import (
    ACCESS_TOKEN,
    ExchangedToken,
    ExchangeRequest,
    RequestedTokenType,
    TokenExchangeHooks,
)
from portula_token_exchange.policies import (
    impersonates,
    known_audiences,
    policy_of,
    require_assertion,
)
from portula_token_exchange.settings import TokenExchangeSettings
from portula_token_exchange.tokens import presented_token

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange, GrantFactory, TokenFormat

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ROOM = "token_exchange"


@dataclass(frozen=True, slots=True)
class _PresentedTokens:
    """What a request presents."""

    subject: ExchangedToken
    actor: ExchangedToken | None
    kind: RequestedTokenType | None
    """What is asked for; None for an access token."""


class TokenExchangeGrant(ExtensionGrant):
    """Exchanges a token for one that is never wider."""

    confidential = True  # RFC 8693 §2.1, attack S53

    def __init__(self, validator: OAuth2Validator) -> None:
        """Take the validator, and collect what may be asked for.

        Raises:
            ConfigError: TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES names what nobody brings.
        """
        super().__init__(validator)
        provider = validator.provider
        self._types = provider.hooks.collect(TokenExchangeHooks.portula_requested_token_types)
        named = provider.settings(TokenExchangeSettings).TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES
        unknown = set(named).difference(self._types, {ACCESS_TOKEN})
        if unknown:
            raise ConfigError(f"TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES: nobody brings {min(unknown)!r}")

    @override
    def check(self, exchange: TokenExchange) -> None:
        """Judge client, tokens and scope; the target follows when it is known what `resource` means here."""
        client = cast("Application", exchange.client)
        settings = exchange.provider.settings(TokenExchangeSettings)
        requested = exchange.parameter("requested_token_type") or ACCESS_TOKEN
        if requested not in settings.TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES:
            raise InvalidRequestError(description="Tokens of this requested_token_type are not issued.")
        kind = None if requested == ACCESS_TOKEN else self._types[requested]
        subject, actor = presented_token(exchange, "subject_token"), presented_token(exchange, "actor_token")
        if subject is None:
            raise InvalidRequestError(description="subject_token and subject_token_type are missing.")
        if subject.subject is not None and subject.authorization is None:
            raise InvalidRequestError(description="subject_token is under no authorization.")
        _check_parties(exchange, client, subject, actor)
        if kind is None and not set(exchange.scope) <= set(subject.scope):
            raise InvalidScopeError(description="The subject_token does not have these scopes.")
        exchange.request.user = subject.subject
        exchange.request.scopes = list(exchange.scope or (subject.scope if kind is None else ()))
        exchange.for_another_server = kind is not None
        if kind is None:
            exchange.memo[(ROOM, "audience")] = known_audiences(exchange)
        exchange.memo[(ROOM,)] = _PresentedTokens(subject, actor, kind)

    @override
    def judge_scope(self, exchange: TokenExchange) -> None:
        """Judge scopes that are ours."""
        if not exchange.for_another_server:
            super().judge_scope(exchange)


def _check_parties(
    exchange: TokenExchange, client: Application, subject: ExchangedToken, actor: ExchangedToken | None
) -> None:
    """Let the client exchange what is its own or for it, and let act whom the subject's token lets act (§4.4)."""
    names = {client.client_id, *exchange.provider.audiences.get(client.client_id, ())}
    if actor is not None:
        if actor.client_id != client.client_id and names.isdisjoint(actor.recipients):
            raise InvalidRequestError(description="actor_token is another client's.")
        if actor.party == subject.party:
            raise InvalidRequestError(description="actor_token is the subject's own.")
        if "act" in actor.claims:
            raise InvalidRequestError(description="actor_token is of somebody for whom another acts.")
    may_act = subject.claims.get("may_act")
    if may_act is not None:
        if not _may_act(may_act, exchange.issuer, client, actor):
            raise InvalidRequestError(description="subject_token lets somebody else act (may_act).")
        return
    if subject.recipients and names.isdisjoint(subject.recipients):
        raise InvalidRequestError(description="subject_token is neither this client's nor for it.")


def _may_act(may_act: object, issuer: str, client: Application, actor: ExchangedToken | None) -> bool:
    """Say whether `may_act` names who would act; each of its members has to agree."""
    if not isinstance(may_act, Mapping) or not may_act:
        return False
    sub = client.client_id if actor is None else actor.subject or actor.party[1]
    acting = {"iss": issuer, "sub": sub, "client_id": client.client_id}
    return all(acting.get(name) == value for name, value in may_act.items())


# --- What may fail until the token is made ---


def exchange_target(exchange: TokenExchange) -> None:
    """Judge whom the new token is for, ask the policy, and go on under the subject's authorization (RFC 8693 §2)."""
    given: _PresentedTokens = exchange.memo[(ROOM,)]
    subject, client = given.subject, cast("Application", exchange.client)
    request = ExchangeRequest(
        provider=exchange.provider,
        client=client,
        subject=subject,
        actor=given.actor,
        scope=exchange.scope,
        audience=_target(exchange, subject) if given.kind is None else (),
    )
    under = subject.authorization or _of_client(exchange, subject)
    if given.kind is None:
        exchange.memo[(ROOM, "act")] = _act(exchange, given, delegated=not impersonates(request))
    else:
        request = read_request(exchange, request, given.kind)
        require_assertion(request)
        if subject.authorization is not None:  # a revocation that comes at this moment wins
            exchange.plan.change(under, given={"revoked_at": None}, expires_at=under.expires_at)
    exchange.memo[(ROOM, "request")] = request
    # Its confirmation is the token's too, which is judged when this request's proofs are known.
    exchange.resume(replace(under, confirmation={}))
    if exchange.authorization is not None and subject.authorization is None and given.kind is None:
        exchange.plan.add(exchange.authorization)
    exchange.resources = request.audience
    exchange.claims_at_most = subject.claims


def _of_client(exchange: TokenExchange, subject: ExchangedToken) -> Authorization:
    """Return an authorization for what is made of a token of a client itself: by nobody, and ending with that token."""
    return Authorization(
        id=secrets.token_hex(16),
        realm=exchange.realm,
        client_id=subject.client_id,
        subject="",
        scope=" ".join(subject.scope),
        resources=subject.audience,
        issued_at=exchange.provider.now(),
        facts={ENDS_WITH: {"digest": subject.digest}},
    )


def _target(exchange: TokenExchange, subject: ExchangedToken) -> tuple[str, ...]:
    """Return whom the new token is for: those named, of those the subject's token is for, or all of these.

    What `resource` names was judged before, by whoever knows resources; else there is none.
    """
    if exchange.values("resource") and not exchange.resources:
        raise InvalidTargetError(description="A resource is not known here.")
    named: tuple[str, ...] = exchange.memo[(ROOM, "audience")]
    target = tuple(dict.fromkeys((*exchange.resources, *named)))
    if subject.audience and not set(target) <= set(subject.audience):
        raise InvalidTargetError(description="The subject_token is not for this target.")
    return target or subject.audience


def _act(exchange: TokenExchange, given: _PresentedTokens, *, delegated: bool) -> Mapping[str, Any] | None:
    """Return who acts, those who acted before inside (RFC 8693 §4.1); nobody loses their place in the chain."""
    before = given.subject.claims.get("act")
    if not delegated:
        return cast("Mapping[str, Any] | None", before)
    client = cast("Application", exchange.client)
    actor = given.actor
    sub = client.client_id if actor is None else actor.party[1]
    if actor is not None and actor.subject is not None:
        sub = exchange.provider.validator.subject_for(actor.subject, client)
    act = {"sub": sub, "client_id": client.client_id, **({"act": before} if before else {})}
    depth, inner = 0, cast("object", act)
    while isinstance(inner, Mapping):
        depth, inner = depth + 1, inner.get("act")
    if depth > exchange.provider.settings(TokenExchangeSettings).TOKEN_EXCHANGE_MAX_ACT_DEPTH:
        raise InvalidRequestError(description="Too many act for the subject already.")
    return act


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    """Let the new token end no later than those that it is made of, and say what it is and who acts."""
    given: _PresentedTokens | None = exchange.memo.get((ROOM,))
    if given is None or exchange.issue is None:
        return
    issue, request = exchange.issue, exchange.memo[(ROOM, "request")]
    issue.members["issued_token_type"] = request.requested_token_type
    if given.kind is not None:
        issue.lifetime = min(given.kind.lifetime, _seconds_left(exchange, given))
        issue.format, issue.token_type = FORMAT, "N_A"  # RFC 8693 §2.2.1
        if request.authorization_details:
            issue.members[DETAILS] = list(request.authorization_details)
        return
    issue.lifetime = min(issue.lifetime, _seconds_left(exchange, given))
    act = exchange.memo[(ROOM, "act")]
    if act is not None:
        issue.claims["act"] = act
    if "may_act" in given.subject.claims:
        issue.claims["may_act"] = given.subject.claims["may_act"]


@hookimpl
def portula_validate_token_request(exchange: Exchange) -> None:
    """Require the keys that the presented tokens are bound to, and see that no plugin made the new token wider.

    Raises:
        InvalidRequestError: a key is not proven by this request.
        HookFailed: a plugin shaped the token wider than its subject's.
    """
    given: _PresentedTokens | None = exchange.memo.get((ROOM,))
    if given is None or exchange.issue is None:
        return
    issue, subject = exchange.issue, given.subject
    for token in filter(None, (subject, given.actor)):
        if any(issue.confirmation.get(member) != bound for member, bound in token.confirmation.items()):
            raise InvalidRequestError(description="A token is bound to a key that is not proven.")
    if exchange.for_another_server:
        require_format(issue)
        return
    outside = subject.audience and not set(issue.audience) <= set(subject.audience)
    unlimited = bool(subject.audience) and not issue.audience
    wider = not set(issue.scope) <= set(subject.scope)
    if outside or unlimited or wider or issue.lifetime > _seconds_left(exchange, given):
        raise HookFailed("a plugin makes the exchanged token wider than the one it is made of")


def _seconds_left(exchange: Exchange, given: _PresentedTokens) -> int:
    ends = [token.expires_at for token in (given.subject, given.actor) if token is not None]
    return min(ends) - exchange.provider.now()


# --- What is offered ---


@hookimpl
def portula_token_formats(provider: Provider) -> dict[str, TokenFormat]:
    """Return the format of tokens for other servers, where plugins bring types of them."""
    offered = policy_of(provider) is not None
    types = provider.hooks.collect(TokenExchangeHooks.portula_requested_token_types) if offered else {}
    return {FORMAT: _made_for_others} if types else {}


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the types that other servers take as grants (draft-ietf-oauth-identity-chaining)."""
    named = provider.settings(TokenExchangeSettings).TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES
    offered = policy_of(provider) is not None
    types = provider.hooks.collect(TokenExchangeHooks.portula_requested_token_types) if offered else {}
    grants = sorted(name for name, kind in types.items() if kind.is_grant and name in named)
    return {"identity_chaining_requested_token_types_supported": grants}


def _made_for_others(exchange: Exchange) -> str:
    given: _PresentedTokens = exchange.memo[(ROOM,)]
    if given.kind is None:
        raise LookupError("an access token is asked for")
    return given.kind.make(exchange, exchange.memo[(ROOM, "request")])


@hookimpl
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    """Return the grant type, where a policy allows something."""
    return {GRANT_TYPE: TokenExchangeGrant} if policy_of(provider) is not None else {}


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the step that judges the target, before an authorization would begin."""
    if policy_of(provider) is None:
        return []
    return [
        Step(
            endpoint="token",
            name=ROOM,
            run=exchange_target,
            when=frozenset({GRANT_TYPE}),
            before="authorization",
            reads=frozenset({"client", "subject", "scope"}),
            guards=True,
        )
    ]
