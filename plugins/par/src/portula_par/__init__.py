"""Pushed authorization requests: a client sends its request here first, and the browser brings a reference to it.

Source: RFC 9126. A reference is bound to its client, lives for a minute, and is used up by the answer to the request.
It never takes a reference of another client, and keeps none in a form that could be presented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_par.endpoint import portula_endpoints
from portula_par.requests import portula_request_resolvers
from portula_par.rules import portula_client_metadata, portula_steps, portula_validate_authorization_request
from portula_par.settings import ParSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "portula_client_metadata",
    "portula_endpoints",
    "portula_request_resolvers",
    "portula_steps",
    "portula_validate_authorization_request",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[ParSettings]]:
    """Return the settings of this room."""
    return [ParSettings]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return where requests are pushed, and whether they have to be (RFC 9126 §5)."""
    settings = provider.settings(ParSettings)
    if not settings.PAR_ENABLED:
        return {}
    return {
        "pushed_authorization_request_endpoint": "par/",
        "require_pushed_authorization_requests": settings.REQUIRE_PUSHED_AUTHORIZATION_REQUESTS,
    }
