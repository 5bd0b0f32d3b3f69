"""The types that a client is registered with (RFC 9396 §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember, nearest
from portula_rar.details import CLIENT_TYPES, types_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the member; none where there are no types."""
    types = types_of(provider)
    if not types:
        return []
    hint = f"What it may ask for besides scopes, one type a line. Known here: {', '.join(types)}."
    return [ClientMember(CLIENT_TYPES, list[str], label="Authorization details", hint=hint)]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse types that nobody here knows.

    Raises:
        InvalidClientMetadata: names the first.
    """
    types = types_of(registration.provider)
    unknown = [name for name in registration.application.metadata.get(CLIENT_TYPES, ()) if name not in types]
    if types and unknown:
        raise InvalidClientMetadata(
            f"{CLIENT_TYPES}: {unknown[0]!r} is no type of this provider{nearest(unknown[0], types)}"
        )
