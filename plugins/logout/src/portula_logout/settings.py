"""Settings of signing out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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

    OIDC_BACKCHANNEL_LOGOUT_ENABLED: bool = True
    """Whether the servers of apps are told when a session ends (OpenID Connect Back-Channel Logout); of those that
    registered a backchannel_logout_uri."""

    OIDC_BACKCHANNEL_LOGOUT_RETRY_SECONDS: int = Field(default=10, ge=1, le=3600)
    """Seconds until a server that could not be told is tried again; they double each time, up to an hour."""

    OIDC_BACKCHANNEL_LOGOUT_GIVE_UP_SECONDS: int = Field(default=24 * 3600, ge=60, le=30 * 24 * 3600)
    """Seconds after the end of a session when a server that could not be told is given up."""

    OIDC_FRONTCHANNEL_LOGOUT_ENABLED: bool = False
    """Whether the page after signing out opens the frontchannel_logout_uri of each app in a frame (OpenID Connect
    Front-Channel Logout). Browsers that keep cookies from frames of other sites make it void: the back channel is
    surer."""

    OIDC_FRONTCHANNEL_LOGOUT_SECONDS: int = Field(default=3, ge=1, le=60)
    """Seconds that page stays, so that the frames may load, before it goes on."""

    OIDC_SESSION_MANAGEMENT_ENABLED: bool = False
    """Whether apps in browsers may watch for logouts (OpenID Connect Session Management): it sets a cookie that scripts
    and frames of other sites come with, which says that and when somebody is signed in, not who."""
