"""Giving tokens back (RFC 7009)."""

from __future__ import annotations

from portula import OAuth2Validator, Plugin
from portula.plugin import AccessToken, OAuthRequest, RefreshToken, TokenRevoked
from portula_oauth2.questions.bearer import ACCESS_TOKEN, REFRESH_TOKEN
from portula_oauth2.questions.refresh import revoke_family


class RevocationQuestions(OAuth2Validator):
    """An access token goes alone; a refresh token takes its whole family with it (RFC 7009 §2.1)."""

    def revoke_token(self, token: str, token_type_hint: str | None, request: OAuthRequest) -> None:
        """Revoke a token of the client that asks; anything else changes nothing and is no error (§2.2)."""
        provider, now = self.provider, self.provider.now()
        client_id = request.client.client_id if request.client else None
        refresh = provider.storage.find(RefreshToken, digest=provider.keys.digests(REFRESH_TOKEN, token))
        access = None
        if refresh is None:
            access = provider.storage.find(AccessToken, digest=provider.keys.digests(ACCESS_TOKEN, token))
        found = refresh or access
        if found is None or found.client_id != client_id or found.revoked_at is not None:
            return
        if access is not None:
            provider.storage.change(AccessToken, {"digest": access.digest}, revoked_at=now)
        else:
            revoke_family(provider, found.family)
        event = TokenRevoked(
            provider=provider, client_id=found.client_id, subject=found.subject, family=found.family
        )
        provider.storage.on_commit(lambda: provider.hooks.tell(Plugin.portula_token_revoked, event))
