"""What this room tells about itself (RP-Initiated Logout §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider


def openid(provider: Provider) -> bool:
    """Say whether the provider speaks OpenID Connect; without it nobody could sign out by it."""
    return "openid" in provider.scope_texts


def rp_initiated(provider: Provider) -> bool:
    """Say whether apps may ask."""
    return openid(provider) and provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_ENABLED


def members(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata: what is on, and nothing else."""
    document: dict[str, Any] = {}
    if rp_initiated(provider):
        document["end_session_endpoint"] = "logout/"
    return document
