"""Settings of signing out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class LogoutSettings(BaseModel):
    """Who may ask for it, what ends with it, and who is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    OIDC_RP_INITIATED_LOGOUT_ENABLED: bool = False
    """Whether apps may send people here to sign out (OpenID Connect RP-Initiated Logout)."""

    OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT: bool = True
    """Whether people are always asked. False asks where the specification demands it: unless the app proves, with an ID
    token of the session and the person that are signed in, that it knows whom it signs out."""

    OIDC_RP_INITIATED_LOGOUT_STRICT_REDIRECT_URIS: bool = False
    """Whether an http address to go to afterwards is for confidential clients only. False takes every address that the
    client has registered."""

    OIDC_RP_INITIATED_LOGOUT_ACCEPT_EXPIRED_TOKENS: bool = True
    """Whether an ID token that has expired still tells whom an app means, as RP-Initiated Logout §4 recommends. Nothing
    else about it is spared: its signature, issuer and audience have to be right."""

    OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS: bool = True
    """Whether the person's tokens of all apps are revoked when one app signs them out."""

    OIDC_RP_INITIATED_LOGOUT_TOKEN_TYPES: tuple[Literal["access_token", "refresh_token"], ...] = (
        "access_token",
        "refresh_token",
    )
    """Which kinds of tokens OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS revokes."""

    OIDC_RP_INITIATED_LOGOUT_CLIENT_TYPES: tuple[Literal["confidential", "public"], ...] = (
        "confidential",
        "public",
    )
    """Of which types of clients OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS revokes tokens."""
