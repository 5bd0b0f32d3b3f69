"""Access tokens as signed JWTs, which resource servers verify by themselves.

Sources: RFC 9068; RFC 7800 §3.1 for `cnf`, RFC 8693 §4.1 for `act`, RFC 9396 §9.1 for `authorization_details`.
It never makes a token that is not signed, that names nobody it is for, or that a plugin made say more than was granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_jwt_access_tokens.choice import (
    is_on,
    is_wanted,
    portula_client_metadata,
    portula_shape_token,
    require_signer,
)
from portula_jwt_access_tokens.hooks import AccessTokenClaims, JwtAccessTokenHooks
from portula_jwt_access_tokens.settings import JWT, JwtAccessTokensSettings
from portula_jwt_access_tokens.tokens import make

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Endpoint, TokenFormat

__all__ = ["AccessTokenClaims", "portula_client_metadata", "portula_shape_token"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the hook of claims."""
    return [JwtAccessTokenHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[JwtAccessTokensSettings]]:
    """Return the settings of this room."""
    return [JwtAccessTokensSettings]


@hookimpl
def portula_token_formats(provider: Provider) -> dict[str, TokenFormat]:
    """Return the format, where it can be made or has to be: a server class that cannot stops the start then."""
    return {JWT: make} if is_on(provider) or is_wanted(provider) else {}


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """None, but what the settings need is asked for here, so that what is missing shows at start."""
    require_signer(provider)
    return []
