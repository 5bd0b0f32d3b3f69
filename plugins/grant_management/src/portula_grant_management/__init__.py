"""Grants that clients manage: they name one in an authorization request, widen or replace it, look at it and end it.

Source: Grant Management for OAuth 2.0 (FAPI), Implementer's Draft 1. It never tells an unknown grant from another
client's or another person's, never changes one that its person was not asked about, and never leaves a token of what
was replaced or ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_grant_management.endpoint import QUERY_SCOPE, REVOKE_SCOPE, make_mount
from portula_grant_management.metadata import portula_metadata
from portula_grant_management.requests import (
    portula_interaction_demands,
    portula_validate_authorization_request,
)
from portula_grant_management.settings import GrantManagementSettings, is_on
from portula_grant_management.tokens import (
    portula_record_token,
    portula_shape_token,
    portula_steps,
)

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Mount

__all__ = [
    "portula_interaction_demands",
    "portula_metadata",
    "portula_record_token",
    "portula_shape_token",
    "portula_steps",
    "portula_validate_authorization_request",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[GrantManagementSettings]]:
    """Return the settings of this room."""
    return [GrantManagementSettings]


@hookimpl
def portula_scopes(provider: Provider) -> dict[str, str]:
    """Return the scopes of the API (Grant Management §6.1)."""
    texts = {
        QUERY_SCOPE: "See what you allowed the app",
        REVOKE_SCOPE: "Take back what you allowed the app",
    }
    return texts if is_on(provider) else {}


@hookimpl
def portula_privileged_scopes(provider: Provider) -> list[str]:
    """Return the same: who may use the API is an operator's to say."""
    return [QUERY_SCOPE, REVOKE_SCOPE] if is_on(provider) else []


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the API."""
    return [make_mount(provider)] if is_on(provider) else []
