"""Instances of a client authenticate by a key of their own that somebody trusted has attested.

Source: draft-ietf-oauth-attestation-based-client-auth-11, an Internet-Draft: this room changes with it.
It never takes a proof twice, an attestation of somebody whom the settings do not name, or a signature by a secret; no
refresh token of one instance is of use to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_attestation.binding import portula_steps, portula_validate_authorization_request
from portula_attestation.checks import portula_checks
from portula_attestation.endpoint import portula_endpoints
from portula_attestation.hooks import AttestationHooks, KeyProof
from portula_attestation.metadata import portula_metadata
from portula_attestation.methods import portula_client_auth_methods
from portula_attestation.registration import portula_client_metadata, portula_validate_client_registration
from portula_attestation.settings import AttestationSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import HookDeclarations

__all__ = [
    "KeyProof",
    "portula_checks",
    "portula_client_auth_methods",
    "portula_client_metadata",
    "portula_endpoints",
    "portula_metadata",
    "portula_steps",
    "portula_validate_authorization_request",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the hook of further proofs of possession."""
    return [AttestationHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[AttestationSettings]]:
    """Return the settings of this room."""
    return [AttestationSettings]
