"""Finds the live token with a value: an access token or a refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.records import Application, RefreshToken

if TYPE_CHECKING:
    from portula import Provider
    from portula.records import AccessToken

_REFRESH_PURPOSE = "refresh token"
"""Under which refresh tokens are digested."""


def find_live(provider: Provider, value: str, hint: str | None) -> AccessToken | RefreshToken | None:
    """Return the token if it counts now; the hint only says where to look first (RFC 7662 §2.1)."""
    if hint == "refresh_token":
        return _refresh_token(provider, value) or provider.backend.find_access_token(value)
    return provider.backend.find_access_token(value) or _refresh_token(provider, value)


def _refresh_token(provider: Provider, value: str) -> RefreshToken | None:
    """Return the refresh token unless it was used, revoked or expired, or its client or person is disabled."""
    token = provider.storage.find(RefreshToken, digest=provider.keys.digests(_REFRESH_PURPOSE, value))
    if token is None or token.taken_at is not None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= provider.now():
        return None
    client = provider.storage.find(Application, client_id=token.client_id)
    if client is None or not client.is_usable(None):
        return None
    if token.subject is not None and not provider.validator.subject_is_active(token.subject):
        return None
    return token
