"""Refresh tokens: rotation, grace, replay (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

from portula import OAuth2Validator
from portula.plugin import (
    REFRESH_TOKEN_PURPOSE,
    Application,
    OAuthRequest,
    TokenExchange,
    is_of_removed_client,
    is_revoked,
)
from portula_oauth2.refreshing import check_superseded, find_refresh_token
from portula_oauth2.scopes import barred_scopes, known_scopes, refuse_scopes, still_allowed
from portula_oauth2.settings import OAuth2Settings


class RefreshQuestions(OAuth2Validator):
    """A refresh token belongs to one client; a superseded one that comes back ends its authorization."""

    def validate_refresh_token(self, refresh_token: str, client: Application, request: OAuthRequest) -> bool:
        """Find a live refresh token of this client.

        Raises:
            RecordReplayed: it was rotated, and the grace period is over.
        """
        provider, exchange = self.provider, self.exchange_of(request)
        found = find_refresh_token(provider, refresh_token, provider.people.find_along)
        if found is None or found[0].client_id != client.client_id:
            exchange.reason = (
                "unknown refresh token" if found is None else "the refresh token of another client"
            )
            return False
        token, authorization = found
        if (
            authorization is None
            or is_revoked(provider, authorization)
            or is_of_removed_client(client, authorization.issued_at)
        ):
            exchange.reason = "the authorization is revoked, or of a client that had the name before"
            return False
        if not provider.keys.verify(REFRESH_TOKEN_PURPOSE, refresh_token, token.digest):
            # First: who comes back late with a stolen one still ends the theft.
            successor = check_superseded(provider, token, refresh_token, request)
            if successor is None:
                exchange.reason = "the refresh token was never issued"
                return False
            if isinstance(exchange, TokenExchange):
                exchange.successor = successor
        elif token.expires_at is not None and token.expires_at <= provider.now():
            exchange.reason = "the refresh token has expired"
            return False
        exchange.person = provider.validator.active_person(token.subject)
        if exchange.person is None:
            exchange.reason = "the person is disabled or gone"
            return False
        exchange.refresh_token = token
        exchange.resume(authorization)
        request.user = token.subject
        return True

    def get_original_scopes(self, refresh_token: str, request: OAuthRequest) -> list[str]:
        """Return the scopes that were granted and that the client may still have; a refresh can only narrow them."""
        token = self.exchange_of(request).refresh_token
        return still_allowed(self.provider, token.scope, request) if token else []

    def is_within_original_scope(
        self, request_scopes: list[str], refresh_token: str, request: OAuthRequest
    ) -> bool:
        """Leave out scopes that nobody knows, as when the person was asked; all others must have been granted.

        Raises:
            InvalidScopeError: names those that were not (RFC 6749 §6).
        """
        granted = self.get_original_scopes(refresh_token, request)
        request.scopes = known_scopes(self.provider, request_scopes, request)
        lost = barred_scopes(self.provider, request.scopes, request.client, request)
        refuse_scopes("This client may not ask for", lost, request)
        beyond = [scope for scope in request.scopes if scope not in granted]
        refuse_scopes("The person did not allow", beyond, request)
        return True

    def rotate_refresh_token(self, request: OAuthRequest) -> bool:
        """Rotate as configured; for public clients always (RFC 9700 §2.2.2)."""
        public = request.client is not None and request.client.client_type == "public"
        return public or self.provider.settings(OAuth2Settings, request.client).rotates(request)

    def issues_refresh_token(self, request: OAuthRequest) -> bool:
        """Give a refresh token with every code grant, or only for offline_access where that is set.

        One that was given before the setting goes on being rotated.
        """
        if self.exchange_of(request).refresh_token is not None:
            return True
        required = self.provider.settings(OAuth2Settings).REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS
        return not required or "offline_access" in (request.scopes or ())
