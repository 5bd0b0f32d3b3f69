"""Authorization requests as JWTs, by value (`request`) and by reference (`request_uri`).

Sources: RFC 9101, OpenID Connect Core §6; its share of client metadata is OpenID Connect Registration's §2.
It never takes an unsigned object unless a setting allows it, and fetches nothing unless a setting allows that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_jar.metadata import portula_metadata
from portula_jar.registration import (
    portula_client_metadata,
    portula_validate_authorization_request,
    portula_validate_client_registration,
)
from portula_jar.resolvers import portula_request_resolvers
from portula_jar.settings import JarSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "portula_client_metadata",
    "portula_metadata",
    "portula_request_resolvers",
    "portula_validate_authorization_request",
    "portula_validate_client_registration",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[JarSettings]]:
    """Return the settings of this room."""
    return [JarSettings]
