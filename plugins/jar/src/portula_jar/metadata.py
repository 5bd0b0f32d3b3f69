"""Server metadata of request objects (RFC 9101 §10.5, OpenID Connect Discovery §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_jar.settings import ENCRYPTION, JarSettings, algorithms, is_on

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata, none where no request object can be read."""
    if not is_on(provider):
        return {}
    settings = provider.settings(JarSettings)
    by_value, by_reference = settings.REQUEST_OBJECTS_ENABLED, settings.REQUEST_URI_ENABLED
    members: dict[str, Any] = {
        "request_parameter_supported": by_value,
        "request_uri_parameter_supported": by_reference,
        "require_signed_request_object": settings.REQUIRE_SIGNED_REQUEST_OBJECT,
    }
    if by_value or by_reference:
        members["request_object_signing_alg_values_supported"] = algorithms(provider)
        members |= ENCRYPTION.metadata(provider)
    if by_reference:
        members["require_request_uri_registration"] = settings.REQUEST_URI_MUST_BE_REGISTERED
    return members
