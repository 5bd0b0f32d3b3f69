"""Token introspection: tells a resource server whether a token is active, and what it allows.

Source: RFC 7662. Callers are confidential clients, and bearers of a token with the scope `introspection`.
It never tells an unknown token from an expired, a revoked or somebody else's, and never answers a public client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_introspection import endpoint, metadata
from portula_introspection.settings import IntrospectionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Endpoint

__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[IntrospectionSettings]]:
    """INTROSPECTION_SAME_CLIENT_ONLY."""
    return [IntrospectionSettings]


@hookimpl
def portula_scopes(provider: Provider) -> dict[str, str]:
    """The scope that lets the bearer of a token ask."""
    return {endpoint.SCOPE: "Ask whether tokens are active"}


@hookimpl
def portula_privileged_scopes(provider: Provider) -> list[str]:
    """The same scope: it is about the tokens of others."""
    return [endpoint.SCOPE]


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """introspect/."""
    return [endpoint.make(provider)]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Where the endpoint is, and how a client authenticates there."""
    return metadata.members(provider)
