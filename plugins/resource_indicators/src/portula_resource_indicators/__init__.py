"""Tokens for certain servers: a client names them by the parameter `resource`, and a token names its own.

Source: RFC 8707. It never gives a token for a server that was not granted, and takes nothing for a known server that
merely looks like one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_resource_indicators.rules import (
    portula_shape_token,
    portula_steps,
    portula_validate_authorization_request,
)
from portula_resource_indicators.settings import ResourceIndicatorsSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = ["portula_shape_token", "portula_steps", "portula_validate_authorization_request"]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[ResourceIndicatorsSettings]]:
    """Return the settings of this room."""
    return [ResourceIndicatorsSettings]


@hookimpl
def portula_audiences(provider: Provider) -> dict[str, list[str]]:
    """Return the servers as which clients may ask about tokens (RFC 7662 §2.2)."""
    audiences: dict[str, list[str]] = {}
    for uri, resource in provider.settings(ResourceIndicatorsSettings).PROTECTED_RESOURCES.items():
        if resource.client_id is not None:
            audiences.setdefault(resource.client_id, []).append(uri)
    return audiences
