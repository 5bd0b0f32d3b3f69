"""The format `jwt` of access tokens (RFC 9068 §2)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import HookFailed
from portula.plugin import issuer_of
from portula_jwt_access_tokens.hooks import PROTOCOL, AccessTokenClaims, JwtAccessTokenHooks
from portula_jwt_access_tokens.settings import JwtAccessTokensSettings

if TYPE_CHECKING:
    from portula.plugin import Application, Exchange, Issue

TYPE = "at+jwt"

MAX_CHARACTERS = 8000
"""A longer token does not fit into the Authorization header: most servers take a line of 8 KiB."""


def make(exchange: Exchange) -> str:
    """Return an access token as a signed JWT.

    Raises:
        LookupError: nothing is to be issued to anybody.
        HookFailed: a plugin gives a claim that is the protocol's, or there is no room for all claims.
        JoseError: it cannot be signed.
    """
    issue, client, provider = exchange.issue, exchange.client, exchange.provider
    if issue is None or client is None:
        raise LookupError("nothing is to be issued")
    value = AccessTokenClaims(
        provider=provider, exchange=exchange, claims=_protocol_claims(exchange, issue, client)
    )
    claims = provider.hooks.enrich(JwtAccessTokenHooks.portula_access_token_claims, value)
    token = provider.hooks.ask(Plugin.portula_jose).sign(
        claims, typ=TYPE, algorithm=_algorithm(exchange, client)
    )
    if len(token) > MAX_CHARACTERS:
        raise HookFailed(
            f"an access token has {len(token)} characters, more than {MAX_CHARACTERS}: too many claims"
        )
    return token


def _protocol_claims(exchange: Exchange, issue: Issue, client: Application) -> dict[str, Any]:
    """Return the claims of RFC 9068 §2.2; those about the login are of the authorization, so a refresh changes none.

    Raises:
        HookFailed: a person is known by the identifier of the client, or `issue.claims` has what is the protocol's.
    """
    now, under = exchange.provider.now(), exchange.authorization
    issuer, subject = issuer_of(exchange.request), exchange.known_as
    if exchange.subject is not None and subject == client.client_id:
        # §5: it could pass for a token of the client itself
        raise HookFailed(f"the subject of a person is the client_id {subject!r}")
    overwritten = issue.claims.keys() & PROTOCOL
    if overwritten:
        raise HookFailed(f"issue.claims has {min(overwritten)!r}, which is the protocol's")
    claims = {
        "iss": issuer,
        "sub": subject,
        "aud": (issue.audience[0] if len(issue.audience) == 1 else list(issue.audience)) or issuer,
        "client_id": client.client_id,
        "scope": " ".join(issue.scope) or None,
        "iat": now,
        "exp": now + issue.lifetime,
        "jti": secrets.token_urlsafe(16),
        "auth_time": under.auth_time if under else None,
        "acr": exchange.provider.validator.acr_for(exchange) if under else None,
        "amr": list(under.amr) if under and under.amr else None,
        "cnf": dict(issue.confirmation) or None,
    }
    return {name: value for name, value in claims.items() if value is not None} | issue.claims


def _algorithm(exchange: Exchange, client: Application) -> str:
    """Return what to sign with: nothing that only the client could verify (attack S40), or that its profile leaves out.

    ACCESS_TOKEN_JWT_ALG stands where nothing signs with it now, so that this is an error.
    """
    set_ = exchange.provider.settings(JwtAccessTokensSettings).ACCESS_TOKEN_JWT_ALG
    jose = exchange.provider.hooks.ask(Plugin.portula_jose)
    allowed = jose.signing_algorithms_for(client)
    if set_ is not None and (set_ in allowed or set_ not in jose.signing_algorithms()):
        return set_
    return client.algorithm if client.algorithm in allowed else jose.default_algorithm(client)
