"""Refresh tokens: rotation, grace, replay (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from portula import OAuth2Validator
from portula.errors import Replayed
from portula.plugin import Application, OAuthRequest, RefreshToken, State, payload_of, revoke_tokens, state_of
from portula_oauth2.questions.bearer import REFRESH_TOKEN
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portula.plugin import AuthorizationServer

log = logging.getLogger("portula")

_ROOM = "oauth2"
KEPT_UNTIL = "superseded_kept_until"
"""In the payload of a refresh token: until when the superseded ones of its family are kept."""


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
        if token.taken_at is not None:  # first: who comes back late with a stolen one still ends the theft
            if not within_grace(provider, token, request):
                raise Replayed(token)
        elif token.expires_at is not None and token.expires_at <= now:
            return False
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
        return public or self.provider.settings(OAuth2Settings).rotates(request)

    def issues_refresh_token(self, request: OAuthRequest) -> bool:
        """Give a refresh token with every code grant, or only for offline_access where that is set.

        One that was given before the setting goes on being rotated.
        """
        if state_of(request).refresh is not None:
            return True
        required = self.provider.settings(OAuth2Settings).REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS
        return not required or "offline_access" in (request.scopes or ())


def within_grace(provider: AuthorizationServer, token: RefreshToken, request: OAuthRequest) -> bool:
    """Say whether a superseded token may be used again: soon enough, and its successor not yet used itself."""
    grace = provider.settings(OAuth2Settings).grace_seconds(request)
    if token.taken_at is None or token.taken_at + grace <= provider.now():
        return False
    return not any(
        other.generation > token.generation and other.taken_at is not None
        for page in _family_of(provider, token)
        for other in page
    )


def outlive(provider: AuthorizationServer, token: RefreshToken, expires_at: int | None) -> int | None:
    """Keep a superseded token, and those before it, for longer than its successor; return until when.

    Else it would be purged while its family lives, and whoever presents it then would go unnoticed (RFC 9700 §4.14.2).
    The family is moved on together and far ahead, so that most refreshes touch no row but their own.

    Args:
        provider: whose storage it is in.
        token: the one just superseded.
        expires_at: when its successor expires, in Unix seconds; None for never.
    """
    kept: int | None = payload_of(token, _ROOM).get(KEPT_UNTIL)
    enough = kept == expires_at or (kept is not None and expires_at is not None and expires_at < kept)
    ahead = None if expires_at is None else expires_at + (expires_at - provider.now())
    until = kept if enough else ahead
    provider.storage.change(RefreshToken, {"digest": token.digest}, expires_at=until)
    if not enough and token.generation:
        provider.storage.on_commit(lambda: _move_on(provider, token, until))
    return until


def _move_on(provider: AuthorizationServer, token: RefreshToken, until: int | None) -> None:
    """Keep the tokens that were superseded earlier.

    Row by row and each by itself: a revocation that goes over the same rows at this moment then never waits for a row
    that waits for it.
    """
    try:
        for page in _family_of(provider, token):
            for other in page:
                if other.taken_at is not None and other.revoked_at is None and other.expires_at != until:
                    where = {"digest": other.digest, "revoked_at": None}
                    provider.storage.change(RefreshToken, where, expires_at=until)
    except Exception:
        log.exception("superseded refresh tokens of a family are kept for less long than it lives")


def payload_after(
    provider: AuthorizationServer, state: State, expires_at: int | None
) -> dict[str, dict[str, Any]]:
    """Return the payload of a new refresh token; when it supersedes one, that and those before it outlive it."""
    if state.refresh is None:
        return state.rooms
    kept = outlive(provider, state.refresh, expires_at)
    return {**state.rooms, _ROOM: {**state.rooms.get(_ROOM, {}), KEPT_UNTIL: kept}}


def _family_of(provider: AuthorizationServer, token: RefreshToken) -> Iterator[list[RefreshToken]]:
    after: str | None = None
    while page := provider.storage.select(RefreshToken, family=token.family, after=after):
        yield page
        after = page[-1].digest


def revoke_family(provider: AuthorizationServer, family: str) -> None:
    """Revoke all tokens of an authorization."""
    revoke_tokens(provider.storage, provider.now(), family=family)
