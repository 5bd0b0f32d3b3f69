"""The values that enrichments are called with: a request, and its response as far as it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portula.model.records import AccessToken, Authorization

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.messages import OAuthRequest


@dataclass(frozen=True, kw_only=True)
class AuthorizationResponse:
    """The parameters of an answer to an authorization request (RFC 6749 §4.1.2)."""

    provider: AuthorizationServer
    request: OAuthRequest
    response: Mapping[str, str] = field(repr=False)
    """A copy; what an implementation changes in it has no effect."""


@dataclass(frozen=True, kw_only=True)
class TokenResponse:
    """The members of a token response (RFC 6749 §5.1)."""

    provider: AuthorizationServer
    request: OAuthRequest
    response: Mapping[str, Any] = field(repr=False)
    """A copy; what an implementation changes in it has no effect."""


@dataclass(frozen=True, kw_only=True)
class IntrospectionResponse:
    """The members of an introspection response (RFC 7662 §2.2) about an active token."""

    provider: AuthorizationServer
    token: AccessToken
    authorization: Authorization | None
    """What the token was issued under; None for a token of the client itself."""
    response: Mapping[str, Any]
    """A copy; what an implementation changes in it has no effect."""
    names: frozenset[str] | None = None
    """Names by which tokens are for who asks: the client_id, and those of `portula_audiences`; None for the process of
    the provider itself, from which nothing is hidden."""
