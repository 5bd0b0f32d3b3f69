"""Giving tokens back (RFC 7009)."""

from __future__ import annotations

from portula import OAuth2Validator
from portula.plugin import AccessToken, OAuthRequest, TokenRevoked, plan_revocation
from portula_oauth2.questions.bearer import ACCESS_TOKEN
from portula_oauth2.refreshing import find_refresh_token


class RevocationQuestions(OAuth2Validator):
    """An access token goes alone; a refresh token takes its whole authorization with it (RFC 7009 §2.1)."""

    def revoke_token(self, token: str, token_type_hint: str | None, request: OAuthRequest) -> None:
        """Plan the end of a token of the client that asks; anything else changes nothing and is no error (§2.2)."""
        provider, now, exchange = self.provider, self.provider.now(), self.exchange_of(request)
        client_id = request.client.client_id if request.client else None
        refresh = find_refresh_token(provider, token, provider.storage.find_along)
        if refresh is not None:
            record, authorization = refresh
            if record.client_id != client_id or authorization is None or authorization.revoked_at is not None:
                return
            plan_revocation(exchange.plan, now, id=authorization.id)
            exchange.events.append(TokenRevoked.of(provider, record))
            return
        access = provider.storage.find(AccessToken, digest=provider.keys.digests(ACCESS_TOKEN, token))
        if access is None or access.client_id != client_id or access.revoked_at is not None:
            return
        exchange.plan.change_all(AccessToken, {"digest": access.digest}, revoked_at=now)
        exchange.events.append(TokenRevoked.of(provider, access))
