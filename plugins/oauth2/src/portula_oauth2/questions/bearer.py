"""Access tokens at resources (RFC 6750)."""

from __future__ import annotations

from portula import OAuth2Validator
from portula.engine.messages import OAuthRequest, state_of
from portula.records import AccessToken, Application

PURPOSE = "access token"


class BearerQuestions(OAuth2Validator):
    """A token counts while it, its client and its person do (attack S27)."""

    def validate_bearer_token(
        self, token: str | None, scopes: list[str] | None, request: OAuthRequest
    ) -> bool:
        """Find a live access token with all these scopes; its facts go onto the request."""
        found = self.provider.validator.find_live_access_token(token) if token else None
        if found is None:
            return False
        granted = found.scope.split()
        request.user, request.scopes = found.subject, granted
        request.client = self.provider.storage.find(Application, client_id=found.client_id)
        state_of(request).access = found
        return set(scopes or ()).issubset(granted)

    def find_live_access_token(self, token: str) -> AccessToken | None:
        """Return the access token unless it expired or was revoked, or its client or person is disabled."""
        provider = self.provider
        found = provider.storage.find(AccessToken, digest=provider.keys.digests(PURPOSE, token))
        if found is None or found.revoked_at is not None or found.expires_at <= provider.now():
            return None
        client = provider.storage.find(Application, client_id=found.client_id)
        if client is None or not client.is_usable(None):
            return None
        if found.subject is not None and not self.subject_is_active(found.subject):
            return None
        return found

    def subject_is_active(self, subject: str) -> bool:
        """Ask the login whether this person may still be spoken for."""
        user = self.provider.hooks.login.find(subject)
        return user is not None and user.active
