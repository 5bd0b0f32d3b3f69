"""Finds out what a presented token says, and whether it counts: tokens of this provider alone (RFC 8693 §2.1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import InvalidRequestError, UntrustedToken
from portula.plugin import Authorization, exchange_of, is_of_removed_client, is_revoked
from portula_token_exchange.hooks import ACCESS_TOKEN, ExchangedToken
from portula_token_exchange.settings import ID_TOKEN, JWT, TokenExchangeSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, Jose, OAuthRequest, TokenExchange

ID_TOKEN_TYPES = ("JWT", "")
"""What the `typ` of an ID token may be; `jti` tells it from other tokens of ours that have none (attack S44)."""


def presented_token(exchange: TokenExchange, role: str) -> ExchangedToken | None:
    """Return the token of a role, `subject_token` or `actor_token`, with its type; None when neither is sent.

    Raises:
        InvalidRequestError: one of the two is missing, the type is not taken, or the token does not count.
    """
    value, token_type = exchange.parameter(role), exchange.parameter(f"{role}_type")
    if value is None and token_type is None:
        return None
    if value is None or token_type is None:
        raise InvalidRequestError(description=f"{role} and {role}_type come together.")
    if token_type not in exchange.provider.settings(TokenExchangeSettings).TOKEN_EXCHANGE_SUBJECT_TOKEN_TYPES:
        raise InvalidRequestError(description=f"Tokens of this {role}_type are not taken.")
    found = None
    if token_type != ID_TOKEN:
        found = _access_token(exchange, value, token_type)
    if token_type != ACCESS_TOKEN:
        found = found or _id_token(exchange, value, token_type)
    if found is None:
        exchange.reason = f"{role}: {exchange.provider.validator.why_not_live(value) or 'it does not count'}"
        raise InvalidRequestError(description=f"{role} does not count here.")
    return found


def _access_token(exchange: TokenExchange, value: str, token_type: str) -> ExchangedToken | None:
    """Return a live access token of ours; as a `jwt` only one that is in the form of one."""
    said = _claims(exchange.provider, value)
    live = exchange.provider.validator.find_live_access_token(value)
    if live is None or (token_type == JWT and said is None):
        return None
    return ExchangedToken(
        token_type=token_type,
        subject=live.token.subject,
        client_id=live.token.client_id,
        scope=tuple(live.token.scope.split()),
        audience=live.token.audience,
        recipients=(live.token.client_id, *live.token.audience) if live.token.audience else (),
        expires_at=live.token.expires_at,
        digest=live.token.digest,
        confirmation=live.token.confirmation,
        authorization=live.authorization,
        claims={**(said or {}), **live.token.payload},
    )


def _claims(provider: AuthorizationServer, value: str) -> Mapping[str, Any] | None:
    """Return what a JWT says; None for what is none. Its digest is looked up, which nobody can forge."""
    jose = provider.hooks.ruling(Plugin.portula_jose).answer
    try:
        return None if jose is None else jose.read(value).claims
    except UntrustedToken:
        return None


def _id_token(exchange: TokenExchange, value: str, token_type: str) -> ExchangedToken | None:
    """Return an ID token of ours, with the authorization that it was issued under.

    One that is signed with a client's secret does not count: the client could have made it.
    """
    provider, now = exchange.provider, exchange.provider.now()
    jose: Jose | None = provider.hooks.ruling(Plugin.portula_jose).answer
    if jose is None:
        return None
    try:
        claims = jose.verify_own(value, typ=ID_TOKEN_TYPES).claims
    except UntrustedToken:
        return None
    expires_at = claims.get("exp")
    given = _authorization_of(provider, claims.get("jti"))
    if given is None or claims.get("iss") != exchange.issuer or claims.get("aud") != given.client_id:
        return None
    if not isinstance(expires_at, int) or expires_at <= now:
        return None
    client = provider.clients.find(given.client_id)
    known = (
        client is not None and client.is_usable(None) and not is_of_removed_client(client, given.issued_at)
    )
    counts = known and provider.validator.active_person(given.subject)
    if not counts or claims.get("sub") != provider.validator.subject_for(given.subject, client, given):
        return None
    return ExchangedToken(
        token_type=token_type,
        subject=given.subject,
        client_id=given.client_id,
        scope=tuple(given.scope.split()),
        audience=given.resources,
        recipients=(given.client_id,),
        expires_at=expires_at,
        confirmation=given.confirmation,
        authorization=given,
        claims=claims,
    )


def _authorization_of(provider: AuthorizationServer, jti: object) -> Authorization | None:
    """Return the authorization that the `jti` of an ID token begins with, unless it was revoked."""
    if not isinstance(jti, str):
        return None
    found = provider.storage.find(Authorization, id=jti.partition(".")[0])
    return None if found is None or is_revoked(provider, found) else found


def identifier(request: OAuthRequest) -> dict[str, str]:
    """Return the claim by which an ID token that is exchanged later leads to its authorization."""
    exchange = exchange_of(request)
    types = exchange.provider.settings(TokenExchangeSettings).TOKEN_EXCHANGE_SUBJECT_TOKEN_TYPES
    if exchange.authorization is None or not {ID_TOKEN, JWT} & set(types):
        return {}
    return {"jti": f"{exchange.authorization.id}.{secrets.token_hex(8)}"}
