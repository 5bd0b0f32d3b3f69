"""Rich authorization requests: a client asks for one payment or certain accounts by `authorization_details`.

Source: RFC 9396. It never grants a detail that its type did not judge, and put into words for the person unless a
trusted issuer asserts it, and never gives a token more than was granted, whoever asks for it: client, refresh or the
type that enriches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_rar.contents import portula_authorization_contents
from portula_rar.definitions import AuthorizationDetail, AuthorizationDetailsType, CommonDetail, DetailFields
from portula_rar.details import InvalidAuthorizationDetails, types_of
from portula_rar.hooks import RarHooks
from portula_rar.registration import portula_client_metadata, portula_validate_client_registration
from portula_rar.requests import (
    portula_interaction_demands,
    portula_steps,
    portula_validate_authorization_request,
)
from portula_rar.settings import RarSettings
from portula_rar.tokens import portula_introspection_response, portula_validate_token_request
from portula_rar.words import portula_authorization_descriptions

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "AuthorizationDetail",
    "AuthorizationDetailsType",
    "CommonDetail",
    "DetailFields",
    "InvalidAuthorizationDetails",
    "RarHooks",
    "portula_authorization_contents",
    "portula_authorization_descriptions",
    "portula_client_metadata",
    "portula_interaction_demands",
    "portula_introspection_response",
    "portula_steps",
    "portula_validate_authorization_request",
    "portula_validate_client_registration",
    "portula_validate_token_request",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """The hook by which plugins bring types."""
    return [RarHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[RarSettings]]:
    """Return the settings of this room."""
    return [RarSettings]


@hookimpl
def portula_authorization_details_types(provider: Provider) -> dict[str, AuthorizationDetailsType[Any]]:
    """Return the types of AUTHORIZATION_DETAILS_TYPES."""
    return provider.settings(RarSettings).AUTHORIZATION_DETAILS_TYPES


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the types that clients may ask for (RFC 9396 §10)."""
    types = types_of(provider)
    return {"authorization_details_types_supported": list(types)} if types else {}
