"""Introspection answers as signed JWTs, for resource servers that have to show what they were told.

Source: RFC 9701. It never answers by plain JSON who is to get a JWT, makes no JWT that could pass for an access token
or an ID token, and shows a mere client no tokens of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_jwt_introspection.answers import portula_answer_formats, portula_steps
from portula_jwt_introspection.registration import (
    ENCRYPTION,
    algorithms,
    is_on,
    portula_client_metadata,
    portula_validate_client_registration,
)
from portula_jwt_introspection.settings import JwtIntrospectionSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "portula_answer_formats",
    "portula_client_metadata",
    "portula_steps",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[JwtIntrospectionSettings]]:
    """Return the settings of this room."""
    return [JwtIntrospectionSettings]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the algorithms of answers, where there is an endpoint that answers (RFC 9701 §7)."""
    if not is_on(provider) or "introspect" not in provider.step_lists:
        return {}
    signing = {"introspection_signing_alg_values_supported": algorithms(provider)}
    return {**signing, **ENCRYPTION.metadata(provider)}
