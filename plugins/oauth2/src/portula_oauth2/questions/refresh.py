"""Refresh tokens: rotation, grace, replay (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import OAuth2Validator
from portula.engine.messages import OAuthRequest, state_of
from portula.errors import Replayed
from portula.records import AccessToken, Application, RefreshToken
from portula_oauth2.questions.bearer import REFRESH_TOKEN
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from portula import Provider


class RefreshQuestions(OAuth2Validator):
    """A refresh token belongs to one client; a superseded one that comes back ends its family."""

    def validate_refresh_token(self, refresh_token: str, client: Application, request: OAuthRequest) -> bool:
        """Find a live refresh token of this client.

        Raises:
            Replayed: it was superseded, and grace does not apply.
        """
        provider, now = self.provider, self.provider.now()
        token = provider.storage.find(
            RefreshToken, digest=provider.keys.digests(REFRESH_TOKEN, refresh_token)
        )
        if token is None or token.client_id != client.client_id or token.revoked_at is not None:
            return False
        if token.expires_at is not None and token.expires_at <= now:
            return False
        if token.taken_at is not None and not within_grace(provider, token):
            raise Replayed(token)
        state = state_of(request)
        state.refresh = token
        if token.subject is not None:
            state.person = provider.validator.active_person(token.subject)
            if state.person is None:
                return False
        state.rooms.update(token.payload)
        request.user = token.subject
        return True

    def get_original_scopes(self, refresh_token: str, request: OAuthRequest) -> list[str]:
        """Return the scopes that were granted; a refresh can only narrow them."""
        token = state_of(request).refresh
        return token.scope.split() if token else []

    def rotate_refresh_token(self, request: OAuthRequest) -> bool:
        """Rotate as configured; for public clients always (RFC 9700 §2.2.2)."""
        public = request.client is not None and request.client.client_type == "public"
        return public or self.provider.settings(OAuth2Settings).ROTATE_REFRESH_TOKEN

    def issues_refresh_token(self, request: OAuthRequest) -> bool:
        """Give a refresh token with every code grant, or only for offline_access where that is set.

        One that was given before the setting goes on being rotated.
        """
        if state_of(request).refresh is not None:
            return True
        required = self.provider.settings(OAuth2Settings).REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS
        return not required or "offline_access" in (request.scopes or ())


def within_grace(provider: Provider, token: RefreshToken) -> bool:
    """Say whether a superseded token may be used again: soon enough, and its successor not yet used itself."""
    grace = provider.settings(OAuth2Settings).REFRESH_TOKEN_GRACE_PERIOD_SECONDS
    if token.taken_at is None or token.taken_at + grace <= provider.now():
        return False
    after: str | None = None
    while page := provider.storage.select(RefreshToken, family=token.family, after=after):
        if any(other.generation > token.generation and other.taken_at is not None for other in page):
            return False
        after = page[-1].digest
    return True


def revoke_family(provider: Provider, family: str) -> None:
    """Revoke all tokens of an authorization, those too that a refresh under way adds while this waits for its row."""
    storage, now = provider.storage, provider.now()
    where = {"family": family, "revoked_at": None}
    with storage.transaction():
        while storage.change(RefreshToken, where, revoked_at=now):
            pass
        storage.change(AccessToken, where, revoked_at=now)
