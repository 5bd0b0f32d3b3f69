"""Clients authenticate by the certificate that they show in TLS, and access tokens are bound to it.

Sources: RFC 8705, RFC 7800 §3.1; the certificate comes as RFC 9440 or the server has it.
It never takes a name for a certificate that no trusted authority gave, nor a bound token without its certificate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_mtls.binding import portula_steps, portula_token_presentations
from portula_mtls.metadata import portula_metadata
from portula_mtls.methods import portula_client_auth_methods
from portula_mtls.registration import portula_client_metadata, portula_validate_client_registration
from portula_mtls.settings import MtlsSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "portula_client_auth_methods",
    "portula_client_metadata",
    "portula_metadata",
    "portula_steps",
    "portula_token_presentations",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[MtlsSettings]]:
    """Return the settings of this room."""
    return [MtlsSettings]
