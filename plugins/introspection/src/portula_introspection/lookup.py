"""Finds the live token with a value: an access token or a refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portula import OAuth2Validator
    from portula.plugin import AccessToken, Application, Live, RefreshToken


def find_live(
    validator: OAuth2Validator, value: str, hint: str | None, caller: Application
) -> Live[AccessToken] | Live[RefreshToken] | None:
    """Return the token if it counts now; the hint only says where to look first (RFC 7662 §2.1)."""
    if hint == "refresh_token":
        refresh = validator.find_live_refresh_token(value, caller)
        return refresh or validator.find_live_access_token(value)
    access = validator.find_live_access_token(value)
    return access or validator.find_live_refresh_token(value, caller)
