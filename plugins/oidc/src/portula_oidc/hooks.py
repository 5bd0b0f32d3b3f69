"""The hooks of this room, and what their implementations are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portula.plugin import AuthorizationServer, HookClass, HookDeclarations, OAuthRequest, User, enrichment


@dataclass(frozen=True, kw_only=True)
class PersonClaims:
    """Claims about a person."""

    provider: AuthorizationServer
    request: OAuthRequest
    user: User
    """The person."""
    claims: Mapping[str, Any]
    """A copy; what an implementation changes in it has no effect."""


@dataclass(frozen=True, kw_only=True)
class IDTokenClaims(PersonClaims):
    """The claims of an ID token that is about to be signed (OpenID Connect Core §2)."""


@dataclass(frozen=True, kw_only=True)
class UserInfoClaims(PersonClaims):
    """The claims of a userinfo response (OpenID Connect Core §5.3); `request.scopes` says what was granted."""


class OIDCHooks(HookDeclarations):
    """Hooks of this room."""

    @enrichment(HookClass.SEES_SECRETS, adds_to="claims")
    def portula_id_token_claims(self, token: IDTokenClaims) -> Mapping[str, Any] | None:
        """Add claims to an ID token (OpenID Connect Core §2); those that the protocol sets cannot be overwritten.

        Example:
            class Tenant(Plugin):
                def portula_id_token_claims(self, token):
                    return {"tenant": "north"}
        """
        return None

    @enrichment(HookClass.SHAPES_TOKENS, adds_to="claims")
    def portula_userinfo_claims(self, info: UserInfoClaims) -> Mapping[str, Any] | None:
        """Add claims about a person to userinfo (OpenID Connect Core §5.3), which `info.request.scopes` allow.

        Example:
            class Loyalty(Plugin):
                def portula_userinfo_claims(self, info):
                    return {"loyalty": "gold"} if "loyalty" in info.request.scopes else None
        """
        return None
