"""Server metadata of RP-Initiated, Back-Channel and Front-Channel Logout, and of Session Management."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer


def openid(provider: AuthorizationServer) -> bool:
    """Say whether the provider speaks OpenID Connect; without it nobody could sign out by it."""
    return "openid" in provider.scope_texts


def rp_initiated(provider: AuthorizationServer) -> bool:
    """Say whether apps may ask."""
    return openid(provider) and provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_ENABLED


def back_channel(provider: AuthorizationServer) -> bool:
    """Say whether the servers of apps are told."""
    return openid(provider) and provider.settings(LogoutSettings).OIDC_BACKCHANNEL_LOGOUT_ENABLED


def front_channel(provider: AuthorizationServer) -> bool:
    """Say whether apps are told by frames; the page with these is the one after RP-initiated logout."""
    return rp_initiated(provider) and provider.settings(LogoutSettings).OIDC_FRONTCHANNEL_LOGOUT_ENABLED


def session_management(provider: AuthorizationServer) -> bool:
    """Say whether apps in browsers may watch."""
    return openid(provider) and provider.settings(LogoutSettings).OIDC_SESSION_MANAGEMENT_ENABLED


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata: what is on, and nothing else."""
    document: dict[str, Any] = {}
    if rp_initiated(provider):
        document["end_session_endpoint"] = "logout/"
    if back_channel(provider):
        document["backchannel_logout_supported"] = True
        document["backchannel_logout_session_supported"] = True
    if front_channel(provider):
        document["frontchannel_logout_supported"] = True
        document["frontchannel_logout_session_supported"] = True
    if session_management(provider):
        document["check_session_iframe"] = "session/check/"
    return document
