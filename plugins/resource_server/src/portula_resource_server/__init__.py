"""Guards Flask views with OAuth 2.0 scopes: `@require_oauth("read")`, beside the provider or in a process of its own.

Sources: RFC 6750 for resources, RFC 7662 for asking a provider elsewhere, RFC 9068 §4 for tokens that are JWTs.
It never reads a token from a URL or a body, and never lets a request through while it cannot check the token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_resource_server import verify
from portula_resource_server.guard import (
    current_token,
    protected_resource,
    require_oauth,
    rw_protected_resource,
)
from portula_resource_server.hooks import ResourceChallenge, ResourceServerHooks
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import VerifiedToken

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Endpoint
    from portula_resource_server.tokens import TokenVerifier

__all__ = [
    "ResourceChallenge",
    "VerifiedToken",
    "current_token",
    "protected_resource",
    "require_oauth",
    "rw_protected_resource",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """The slot of the token verifier."""
    return [ResourceServerHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[ResourceServerSettings]]:
    """RESOURCE_SERVER_INTROSPECTION_URL and its companions."""
    return [ResourceServerSettings]


@hookimpl
def portula_token_verifier(provider: Provider) -> TokenVerifier | None:
    """By the keys of an issuer or by introspection when they are set, else by the provider in this process."""
    return verify.choose(provider)


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """None, but the verifier is chosen here, so that what it lacks shows at start."""
    verify.verifier_of(provider)
    return []
