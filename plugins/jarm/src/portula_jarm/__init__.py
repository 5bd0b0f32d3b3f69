"""Authorization responses as signed JWTs, encrypted for clients that want it: query.jwt, fragment.jwt and their like.

Source: JWT Secured Authorization Response Mode for OAuth 2.0 (JARM), errata set 1; `response_modes` of a client is
FAPI 2.0 Message Signing's §5.3.3. It never sends a parameter beside the JWT, nor a JWT that could
pass for an ID token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_jarm.modes import ENCRYPTION, algorithms, is_on, portula_response_modes
from portula_jarm.registration import (
    portula_client_metadata,
    portula_validate_authorization_request,
    portula_validate_client_registration,
)
from portula_jarm.settings import JarmSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "portula_client_metadata",
    "portula_response_modes",
    "portula_validate_authorization_request",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[JarmSettings]]:
    """Return the settings of this room."""
    return [JarmSettings]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the algorithms that responses are signed and encrypted with (JARM §4)."""
    if not is_on(provider):
        return {}
    return {
        "authorization_signing_alg_values_supported": algorithms(provider),
        **ENCRYPTION.metadata(provider),
    }
