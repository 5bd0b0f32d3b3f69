"""One request and what is known of it so far: the value that checks and hooks are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.messages import OAuthRequest


@dataclass(kw_only=True)
class Exchange:
    """A request to an endpoint, from its first check to its answer."""

    provider: AuthorizationServer
    request: OAuthRequest
    """The request as oauthlib judges it."""


@dataclass(kw_only=True)
class TokenExchange(Exchange):
    """A request to the token endpoint (RFC 6749 §3.2)."""


@dataclass(kw_only=True)
class AuthorizationExchange(Exchange):
    """A request to the authorization endpoint (RFC 6749 §3.1)."""
