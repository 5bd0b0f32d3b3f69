"""Clients authenticate by signed assertions: private_key_jwt and client_secret_jwt, wherever clients authenticate.

Sources: RFC 7521, RFC 7523 §3 and its update on audiences, OpenID Connect Core §9.
It never accepts an assertion twice, none without a signature, and none that was made for another server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_client_assertion import metadata, methods
from portula_client_assertion.checks import portula_checks
from portula_client_assertion.registration import (
    portula_client_metadata,
    portula_validate_client_registration,
)
from portula_client_assertion.settings import ClientAssertionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientAuthMethod

__all__ = ["portula_checks", "portula_client_metadata", "portula_validate_client_registration"]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[ClientAssertionSettings]]:
    """Algorithms, audiences and times."""
    return [ClientAssertionSettings]


@hookimpl
def portula_client_auth_methods(provider: Provider) -> list[ClientAuthMethod]:
    """Both methods, where signatures can be verified."""
    return methods.make(provider)


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """The algorithms, for every endpoint where clients authenticate."""
    return metadata.members(provider)
