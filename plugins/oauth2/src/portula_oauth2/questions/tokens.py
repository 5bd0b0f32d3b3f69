"""Questions about issued tokens: their records go into the plan of the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import OAuth2Validator, Plugin
from portula.errors import InvalidGrantError
from portula.plugin import (
    REFRESH_TOKEN_PURPOSE,
    AccessToken,
    CodeReplayed,
    Exchange,
    Grant,
    OAuthRequest,
    RefreshToken,
    RefreshTokenReplayed,
    RefreshTokens,
    SupersededRefreshToken,
    revoke_authorization,
)
from portula_oauth2.keeping import keep_until
from portula_oauth2.questions.bearer import ACCESS_TOKEN
from portula_oauth2.refreshing import seal_successor
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


class TokenQuestions(OAuth2Validator):
    """Plans what a grant issues, and revokes what grew from a replayed record."""

    def access_token_lifetime(self, request: OAuthRequest) -> int:
        """Return ACCESS_TOKEN_EXPIRE_SECONDS for this request."""
        return self.provider.settings(OAuth2Settings, request.client).access_seconds(request)

    def save_bearer_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """Plan to use the code, to add the access token, and to add or move on the refresh token."""
        provider, now, exchange = self.provider, self.provider.now(), self.exchange_of(request)
        if request.client is None:
            raise InvalidGrantError(description="The grant names no client.", request=request)
        expires_at = now + int(token["expires_in"])
        if exchange.code is not None:
            exchange.plan.take(exchange.code, at=now)
            exchange.plan.change(exchange.code, expires_at=max(exchange.code.expires_at, expires_at))
        access = AccessToken(
            digest=provider.keys.digest(ACCESS_TOKEN, token["access_token"]),
            authorization=exchange.authorization.id if exchange.authorization else None,
            client_id=request.client.client_id,
            subject=request.user,
            scope=" ".join(request.scopes or ()),
            issued_at=now,
            expires_at=expires_at,
            audience=exchange.issue.audience if exchange.issue else (),
            confirmation=dict(exchange.issue.confirmation) if exchange.issue else {},
            payload=dict(exchange.issue.claims) if exchange.issue else {},
        )
        exchange.plan.add(access)
        if exchange.refresh_token is not None:
            ends_at = _plan_rotation(exchange, exchange.refresh_token, token, access)
        elif "refresh_token" in token:
            ends_at = _first(exchange, token, access)
        else:
            ends_at = expires_at
        keep_until(exchange, None if ends_at is None else max(ends_at, expires_at))

    def revoke_authorization_of(self, record: object) -> None:
        """Revoke the authorization of a replayed code or refresh token, and tell (RFC 6749 §4.1.2)."""
        if not isinstance(record, Grant | RefreshToken):
            return
        provider = self.provider
        revoke_authorization(provider, record.authorization)
        client_id, subject, authorization = record.client_id, record.subject, record.authorization
        if isinstance(record, Grant):
            code = CodeReplayed(
                provider=provider, client_id=client_id, subject=subject, authorization=authorization
            )
            provider.hooks.tell(Plugin.portula_code_replayed, code)
        else:
            token = RefreshTokenReplayed(
                provider=provider, client_id=client_id, subject=subject, authorization=authorization
            )
            provider.hooks.tell(Plugin.portula_refresh_replayed, token)


def _first(exchange: Exchange, response: Mapping[str, Any], access: AccessToken) -> int | None:
    """Plan to add the refresh token of an authorization; return when it ends."""
    provider, now, request = exchange.provider, exchange.provider.now(), exchange.request
    authorization = exchange.authorization or exchange.begin()
    expires_at = _end(exchange)
    exchange.plan.add(
        RefreshToken(
            authorization=authorization.id,
            digest=provider.keys.digest(REFRESH_TOKEN_PURPOSE, response["refresh_token"]),
            client_id=access.client_id,
            subject=request.user or "",
            scope=authorization.scope,  # what a shape hook leaves out of one token is granted all the same
            issued_at=now,
            expires_at=expires_at,
            access_digest=access.digest,
        )
    )
    return expires_at


def _plan_rotation(
    exchange: Exchange, record: RefreshToken, response: dict[str, Any], access: AccessToken
) -> int | None:
    """Plan to move the refresh token on, and to end the access token that was given with it; return when it ends.

    As in django-oauth-toolkit, the access token that is being refreshed ends here.
    """
    provider, now, request = exchange.provider, exchange.provider.now(), exchange.request
    presented, value = request.refresh_token or "", response.get("refresh_token")
    if record.access_digest is not None:
        exchange.plan.change_all(
            AccessToken, {"digest": record.access_digest, "revoked_at": None}, revoked_at=now
        )
    given = {"digest": record.digest, "expires_at": record.expires_at}  # a revocation changes the second
    if value in (None, presented):
        exchange.plan.change(record, given=given, access_digest=access.digest)
        return record.expires_at
    expires_at = _end(exchange)
    exchange.plan.change(
        record,
        given=given,
        digest=provider.keys.digest(REFRESH_TOKEN_PURPOSE, str(value)),
        previous=record.digest,
        generation=record.generation + 1,
        rotated_at=now,
        expires_at=expires_at,
        sealed=seal_successor(exchange, response, presented, access.expires_at),
        access_digest=access.digest,
    )
    if RefreshTokens(provider.keys).read(presented) is None:
        # A value of a generator of the deployment's own names no authorization, so its digest is kept: for twice as
        # long as the successor lives, after which its return is no longer told from an invented value.
        exchange.plan.add(
            SupersededRefreshToken(
                digest=record.digest,
                authorization=record.authorization,
                expires_at=None if expires_at is None else 2 * expires_at - now,
            )
        )
    return expires_at


def _end(exchange: Exchange) -> int | None:
    lifetime = exchange.provider.settings(OAuth2Settings, exchange.client).refresh_seconds(exchange.request)
    return None if lifetime is None else exchange.provider.now() + lifetime
