"""Keeping tokens: first the single-use record is taken, then tokens are added, in one transaction."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from portula import OAuth2Validator, Plugin
from portula.errors import InvalidGrantError, Replayed
from portula.plugin import (
    AccessToken,
    CodeReplayed,
    Grant,
    OAuthRequest,
    RefreshToken,
    RefreshTokenReplayed,
    State,
    state_of,
)
from portula_oauth2.questions.bearer import ACCESS_TOKEN, REFRESH_TOKEN
from portula_oauth2.questions.refresh import payload_after, revoke_family, within_grace
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


class TokenQuestions(OAuth2Validator):
    """Saves what a grant issues, and revokes what grew from a replayed record."""

    def access_token_lifetime(self, request: OAuthRequest) -> int:
        """Return ACCESS_TOKEN_EXPIRE_SECONDS for this request."""
        return self.provider.settings(OAuth2Settings).access_seconds(request)

    def take_single_use(self, token: Mapping[str, Any], request: OAuthRequest) -> None:
        """Take the code, or the refresh token that is being rotated."""
        provider, state = self.provider, state_of(request)
        if state.grant is not None:
            provider.storage.take(state.grant, provider.now())
        if state.refresh is None:
            return
        where = {"digest": state.refresh.digest, "revoked_at": None}
        if not provider.storage.change(RefreshToken, where, revoked_at=None):
            # Revoked since it was looked at. A revocation that comes now waits for this row and what is added.
            raise InvalidGrantError(request=request)
        if token.get("refresh_token") not in (None, request.refresh_token):
            try:
                provider.storage.take(state.refresh, provider.now())
            except Replayed as replay:
                if not isinstance(replay.record, RefreshToken) or not within_grace(
                    provider, replay.record, request
                ):
                    raise
                state.refresh = replay.record

    def save_bearer_token(self, token: dict[str, Any], request: OAuthRequest) -> str:
        """Add the access token and a new refresh token; return their family."""
        provider, state, now = self.provider, state_of(request), self.provider.now()
        client_id = request.client.client_id if request.client else ""
        family = _family(state)
        if state.refresh is not None and state.refresh.taken_at is None:
            # As in django-oauth-toolkit, the access token that is being refreshed ends here.
            provider.storage.change(AccessToken, {"family": family, "revoked_at": None}, revoked_at=now)
        provider.storage.add(
            AccessToken(
                digest=provider.keys.digest(ACCESS_TOKEN, token["access_token"]),
                client_id=client_id,
                subject=request.user,
                scope=" ".join(request.scopes or ()),
                issued_at=now,
                expires_at=now + int(token["expires_in"]),
                family=family,
                payload=state.rooms,
            )
        )
        refresh = token.get("refresh_token")
        if refresh and refresh != request.refresh_token:
            lifetime = provider.settings(OAuth2Settings).refresh_seconds(request)
            expires_at = None if lifetime is None else now + lifetime
            provider.storage.add(
                RefreshToken(
                    digest=provider.keys.digest(REFRESH_TOKEN, refresh),
                    client_id=client_id,
                    subject=request.user,
                    # RFC 6749 §6: a new refresh token has the scope of the one it replaces.
                    scope=state.refresh.scope if state.refresh else " ".join(request.scopes or ()),
                    issued_at=now,
                    expires_at=expires_at,
                    family=family,
                    generation=state.refresh.generation + 1 if state.refresh else 0,
                    payload=payload_after(provider, state, expires_at),
                )
            )
        return family

    def revoke_family_of(self, record: object) -> None:
        """Revoke all tokens that grew from a replayed code or refresh token, and tell (RFC 6749 §4.1.2)."""
        if not isinstance(record, Grant | RefreshToken):
            return
        provider = self.provider
        revoke_family(provider, record.family)
        client_id, subject, family = record.client_id, record.subject, record.family
        if isinstance(record, Grant):
            code = CodeReplayed(provider=provider, client_id=client_id, subject=subject, family=family)
            provider.hooks.tell(Plugin.portula_code_replayed, code)
        else:
            token = RefreshTokenReplayed(
                provider=provider, client_id=client_id, subject=subject, family=family
            )
            provider.hooks.tell(Plugin.portula_refresh_replayed, token)


def _family(state: State) -> str:
    if state.grant is not None:
        return state.grant.family
    if state.refresh is not None:
        return state.refresh.family
    return state.family or secrets.token_hex(16)
