"""Whether OpenID Connect is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula_oidc.settings import OIDCSettings

if TYPE_CHECKING:
    from portula import Provider


def is_on(provider: Provider) -> bool:
    """Say whether this provider speaks OpenID Connect; see OIDC_ENABLED.

    Raises:
        EmptySlot: it should, and nobody signs.
    """
    enabled = provider.settings(OIDCSettings).OIDC_ENABLED
    if enabled is None:
        jose = provider.hooks.ruling("jose").answer
        return jose is not None and jose.configured
    return enabled and provider.hooks.jose is not None
