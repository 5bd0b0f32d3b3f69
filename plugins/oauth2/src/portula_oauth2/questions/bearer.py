"""Access tokens at resources (RFC 6750)."""

from __future__ import annotations

from typing import TypeVar

from portula import OAuth2Validator
from portula.plugin import (
    REFRESH_TOKEN_PURPOSE,
    TO_AUTHORIZATION,
    TO_CLIENT,
    AccessToken,
    Application,
    Authorization,
    LiveToken,
    OAuthRequest,
    RefreshToken,
    User,
    is_of_removed_client,
    is_revoked,
)
from portula_oauth2.refreshing import find_refresh_token

T = TypeVar("T", AccessToken, RefreshToken)

ACCESS_TOKEN = "access token"
"""Purpose under which values of access tokens are digested."""


class BearerQuestions(OAuth2Validator):
    """A token counts while it, its client, the client it was exchanged from and its person do (attack S27)."""

    def validate_bearer_token(
        self, token: str | None, scopes: list[str] | None, request: OAuthRequest
    ) -> bool:
        """Find a live access token with all these scopes; its facts go onto the request."""
        live = self.provider.validator.find_live_access_token(token) if token else None
        if live is None:
            self.exchange_of(request).reason = self.provider.validator.why_not_live(token or "")
            return False
        granted = live.token.scope.split()
        request.user, request.scopes, request.client = live.token.subject, granted, live.client
        exchange = self.exchange_of(request)
        exchange.access_token, exchange.person = live.token, live.user
        if live.authorization is not None:
            exchange.resume(live.authorization)
        return set(scopes or ()).issubset(granted)

    def find_live_access_token(
        self, value: str, caller: Application | None = None
    ) -> LiveToken[AccessToken] | None:
        """Look an access token up with its authorization and client, and ask whether these and the person count."""
        found = self._access_token(value, caller)
        return None if isinstance(found, str) else found

    def why_not_live(self, value: str) -> str | None:
        """Look it up again: only what is refused costs that."""
        found = self._access_token(value)
        return found if isinstance(found, str) else None

    def _access_token(self, value: str, caller: Application | None = None) -> LiveToken[AccessToken] | str:
        """Return an access token that counts, or why it does not."""
        provider = self.provider
        found: tuple[AccessToken, Authorization | None, Application | None] | None = (
            provider.people.find_along(
                AccessToken,
                TO_AUTHORIZATION,
                TO_CLIENT,
                client=caller,
                digest=provider.keys.digests(ACCESS_TOKEN, value),
            )
        )
        if found is None:
            return "unknown token"
        if found[0].revoked_at is not None:
            return "the token is revoked"
        token, authorization, stored = found
        return self._live(token, authorization, provider.clients.prefer_source(token.client_id, stored))

    def find_live_refresh_token(
        self, value: str, known: Application | None = None
    ) -> LiveToken[RefreshToken] | None:
        """Look a refresh token up, and ask whether client and person still count; one that was rotated does not."""
        found = find_refresh_token(self.provider, value, self.provider.people.find_along)
        if found is None or not self.provider.keys.verify(REFRESH_TOKEN_PURPOSE, value, found[0].digest):
            return None
        token, authorization = found
        if known is None or known.client_id != token.client_id:
            known = self.provider.clients.find(token.client_id)
        live = self._live(token, authorization, known)
        return None if isinstance(live, str) else live

    def _live(
        self, token: T, authorization: Authorization | None, client: Application | None
    ) -> LiveToken[T] | str:
        ended = self._end_of(token, authorization)
        if ended is not None:
            return ended
        if client is None or not client.is_usable(None):
            return "the client is gone or disabled"
        if is_of_removed_client(client, token.issued_at):
            return "the token is of a client that had the name before"
        if authorization is not None and not self._may_give(authorization, client):
            return "the client that it was exchanged from is gone or disabled"
        if token.subject is None:
            return LiveToken(token, client, authorization, None)
        user = self.provider.validator.active_person(token.subject)
        return (
            "the person is gone or disabled"
            if user is None
            else LiveToken(token, client, authorization, user)
        )

    def _end_of(self, token: AccessToken | RefreshToken, authorization: Authorization | None) -> str | None:
        """Say how a token ended, by itself or with its authorization; None while neither did."""
        if authorization is None and token.authorization is not None:
            return "the authorization is gone"
        if authorization is not None and is_revoked(self.provider, authorization):
            return "the authorization is revoked"
        expired = token.expires_at is not None and token.expires_at <= self.provider.now()
        return "the token has expired" if expired else None

    def _may_give(self, authorization: Authorization, holder: Application) -> bool:
        """Say whether the client of an authorization counts; it is another than the token's after an exchange."""
        client_id = authorization.client_id
        given = holder if client_id == holder.client_id else self.provider.clients.find(client_id)
        return (
            given is not None
            and given.is_usable(None)
            and not is_of_removed_client(given, authorization.issued_at)
        )

    def active_person(self, subject: str) -> User | None:
        """Ask the login for this person."""
        user = self.provider.people.find(subject)
        return user if user is not None and user.active else None
