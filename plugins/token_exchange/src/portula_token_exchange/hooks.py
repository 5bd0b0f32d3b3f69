"""The hook of this room, and what a policy is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portula import Provider
from portula.plugin import (
    Application,
    Authorization,
    AuthorizationServer,
    HookClass,
    HookDeclarations,
    slot,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangedToken:
    """A token that was presented as subject or actor, and counts."""

    token_type: str
    """As it was presented, e.g. `urn:ietf:params:oauth:token-type:access_token` (RFC 8693 §3)."""
    subject: str | None
    """The person whose it is; None for a token of its client itself."""
    client_id: str
    """The client it was issued to."""
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    """Whom it is for; empty for anybody."""
    recipients: tuple[str, ...]
    """Who may have it: its client, and whom it is for; empty for anybody."""
    expires_at: int
    confirmation: Mapping[str, Any]
    """Key or certificate that it is bound to; empty for a bearer token."""
    authorization: Authorization | None
    """What it was issued under; None for a token of its client itself."""
    claims: Mapping[str, Any] = field(repr=False)
    """What it says besides, such as `act` and `may_act` (§4.1, §4.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """A token exchange that is sound so far: a policy decides whether it may be."""

    provider: AuthorizationServer = field(repr=False, compare=False)
    client: Application
    """Who asks."""
    subject: ExchangedToken
    """In whose name the new token is."""
    actor: ExchangedToken | None
    """Who is to act for them; None for the client itself."""
    scope: tuple[str, ...]
    """Scopes of the new token, all of them the subject's."""
    audience: tuple[str, ...]
    """Whom the new token is for, by `resource` and `audience`; empty for anybody."""


class TokenExchangePolicy:
    """Says who may exchange which tokens: nobody, until a method is overridden. Nothing but True allows."""

    def may_delegate(self, request: ExchangeRequest) -> bool:
        """Say whether the actor may act for the subject; the new token names both (RFC 8693 §1.1)."""
        return False

    def may_impersonate(self, request: ExchangeRequest) -> bool:
        """Say whether the client may have a token that does not name it, and is the subject's for all who see it.

        It is only asked where no actor token is sent, and before `may_delegate`.
        """
        return False


class TokenExchangeHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.DECIDES, setting="TOKEN_EXCHANGE_POLICY", install="a plugin with a policy")
    def portula_token_exchange_policy(self, provider: Provider) -> TokenExchangePolicy | None:
        """Answer the slot of the policy of token exchange (TOKEN_EXCHANGE_POLICY); without one nothing is exchanged.

        Example:
            class Gateway(TokenExchangePolicy):
                def may_delegate(self, request):
                    return request.client.client_id == "gateway"

            class Room(Plugin):
                def portula_token_exchange_policy(self, provider):
                    return Gateway()
        """
        return None
