"""The hook of this room, and what its implementations are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portula.plugin import AuthorizationServer, Exchange, HookClass, HookDeclarations, enrichment

PROTOCOL = frozenset(
    {
        *("iss", "sub", "aud", "client_id", "jti", "exp", "iat", "nbf", "cnf", "act"),
        *("scope", "resource", "authorization_details", "auth_time", "acr", "amr"),
    }
)
"""Claims that say who is asserted to whom, and what they may be given (draft §3)."""


@dataclass(frozen=True, kw_only=True)
class IdJagClaims:
    """The claims of an assertion that is about to be signed."""

    provider: AuthorizationServer
    exchange: Exchange
    """The request: its client, its subject and their authorization."""
    claims: Mapping[str, Any] = field(repr=False)
    """A copy; what an implementation changes in it has no effect."""


class IdJagHooks(HookDeclarations):
    """Hooks of this room."""

    @enrichment(HookClass.SEES_SECRETS, adds_to="claims", reserved=PROTOCOL)
    def portula_id_jag_claims(self, assertion: IdJagClaims) -> Mapping[str, Any] | None:
        """Add claims by which the other server finds its account of the person, such as `email`, `aud_sub` or `tenant`.

        Those that say who is asserted to whom are the protocol's: giving one refuses the request.

        Example:
            class Tenants(Plugin):
                def portula_id_jag_claims(self, assertion):
                    return {"tenant": "tea"} if assertion.claims["aud"] == "https://tea.example/" else None
        """
        return None
