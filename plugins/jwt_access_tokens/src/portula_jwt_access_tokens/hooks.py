"""The hook of this room, and what its implementations are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portula.plugin import AuthorizationServer, Exchange, HookClass, HookDeclarations, enrichment

RESERVED = frozenset(
    {
        *("iss", "exp", "aud", "sub", "client_id", "iat", "nbf", "jti", "scope"),
        *("auth_time", "acr", "amr", "cnf", "act", "may_act", "authorization_details"),
    }
)
"""Claims that say what a token allows, whom and for how long (RFC 9068 §2.2, RFC 7800, RFC 8693 §4, RFC 9396 §9.1)."""


@dataclass(frozen=True, kw_only=True)
class AccessTokenClaims:
    """The claims of an access token that is about to be signed (RFC 9068 §2.2)."""

    provider: AuthorizationServer
    exchange: Exchange
    """The request: its client, subject and authorization, and with `issue` what is issued."""
    claims: Mapping[str, Any] = field(repr=False)
    """A copy; what an implementation changes in it has no effect."""


class JwtAccessTokenHooks(HookDeclarations):
    """Hooks of this room."""

    @enrichment(HookClass.SEES_SECRETS, adds_to="claims", reserved=RESERVED)
    def portula_access_token_claims(self, token: AccessTokenClaims) -> Mapping[str, Any] | None:
        """Add claims to an access token, such as groups, roles and entitlements (RFC 9068 §2.2.3.1).

        Those that say what the token allows, and to whom, are the protocol's: giving one refuses the request.

        Example:
            class Groups(Plugin):
                def portula_access_token_claims(self, token):
                    return {"groups": ["tea"]} if "tea" in token.exchange.issue.scope else None
        """
        return None
