"""Access tokens at resources (RFC 6750)."""

from __future__ import annotations

from typing import TypeVar

from portula import OAuth2Validator, Plugin
from portula.plugin import (
    TO_AUTHORIZATION,
    TO_CLIENT,
    AccessToken,
    Application,
    Authorization,
    Live,
    OAuthRequest,
    RefreshToken,
    User,
    is_revoked,
)
from portula_oauth2.refreshing import REFRESH_TOKEN, find_refresh_token

T = TypeVar("T", AccessToken, RefreshToken)

ACCESS_TOKEN = "access token"
"""Purpose under which values of access tokens are digested."""


class BearerQuestions(OAuth2Validator):
    """A token counts while it, its client and its person do (attack S27)."""

    def validate_bearer_token(
        self, token: str | None, scopes: list[str] | None, request: OAuthRequest
    ) -> bool:
        """Find a live access token with all these scopes; its facts go onto the request."""
        live = self.provider.validator.find_live_access_token(token) if token else None
        if live is None:
            return False
        granted = live.token.scope.split()
        request.user, request.scopes, request.client = live.token.subject, granted, live.client
        exchange = self.exchange_of(request)
        exchange.access_token, exchange.person = live.token, live.user
        if live.authorization is not None:
            exchange.resume(live.authorization)
        return set(scopes or ()).issubset(granted)

    def find_live_access_token(self, value: str) -> Live[AccessToken] | None:
        """Look an access token up with its authorization and client, and ask whether these and the person count."""
        provider = self.provider
        found: tuple[AccessToken, Authorization | None, Application | None] | None = (
            provider.storage.find_along(
                AccessToken,
                TO_AUTHORIZATION,
                TO_CLIENT,
                digest=provider.keys.digests(ACCESS_TOKEN, value),
            )
        )
        if found is None or found[0].revoked_at is not None:
            return None
        token, authorization, stored = found
        return self._live(token, authorization, provider.clients.prefer_source(token.client_id, stored))

    def find_live_refresh_token(
        self, value: str, known: Application | None = None
    ) -> Live[RefreshToken] | None:
        """Look a refresh token up, and ask whether client and person still count; one that was rotated does not."""
        found = find_refresh_token(self.provider, value)
        if found is None or not self.provider.keys.verify(REFRESH_TOKEN, value, found[0].digest):
            return None
        token, authorization = found
        if known is None or known.client_id != token.client_id:
            known = self.provider.clients.find(token.client_id)
        return self._live(token, authorization, known)

    def _live(
        self, token: T, authorization: Authorization | None, client: Application | None
    ) -> Live[T] | None:
        provider = self.provider
        under: str | None = token.authorization
        if authorization is None and under is not None:
            return None
        if authorization is not None and is_revoked(provider, authorization):
            return None
        expires_at: int | None = token.expires_at
        if expires_at is not None and expires_at <= provider.now():
            return None
        if client is None or not client.is_usable(None):
            return None
        if token.subject is None:
            return Live(token, client, authorization, None)
        user = provider.validator.active_person(token.subject)
        return Live(token, client, authorization, user) if user is not None else None

    def active_person(self, subject: str) -> User | None:
        """Ask the login for this person."""
        user = self.provider.hooks.ask(Plugin.portula_login).find(subject)
        return user if user is not None and user.active else None
