"""The hook of this room, and what a policy is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from portula import Provider
from portula.plugin import (
    Application,
    Authorization,
    AuthorizationServer,
    Exchange,
    HookClass,
    HookDeclarations,
    TokenExchange,
    contribution,
    slot,
)

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
"""A token type (RFC 8693 §3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangedToken:
    """A token that was presented as subject or actor, and counts."""

    token_type: str
    """As it was presented, e.g. `urn:ietf:params:oauth:token-type:access_token` (RFC 8693 §3)."""
    subject: str | None
    """The person in whose name it is; None for a token of a client itself, or in the name of one."""
    client_id: str
    """The client it was issued to."""
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    """Whom it is for; empty for anybody. Of an ID token, whom access tokens of the same authorization are for."""
    recipients: tuple[str, ...]
    """Who may have it: its client, and whom it is for; empty for anybody. Of an ID token, its client alone (OpenID
    Connect Core §2)."""
    expires_at: int
    confirmation: Mapping[str, Any]
    """Key or certificate that it is bound to; empty for a bearer token."""
    authorization: Authorization | None
    """What it was issued under; None for a token of its client itself."""
    digest: str = field(default="", repr=False)
    """Under which it is kept; empty for an ID token."""
    claims: Mapping[str, Any] = field(repr=False)
    """What it says besides, such as `act` and `may_act` (§4.1, §4.4)."""

    @property
    def party(self) -> tuple[str | None, str]:
        """In whose name it is: the person, and the client where there is none."""
        named = self.client_id if self.authorization is None else self.authorization.client_id
        return self.subject, "" if self.subject is not None else named


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
    """Whom the new token is for, by `resource` and `audience`; empty for anybody. For a type of a plugin's own it is
    `audience` alone."""
    requested_token_type: str = ACCESS_TOKEN
    """What is asked for (RFC 8693 §2.1); for a type of a plugin's own, `scope` and the following are another server's
    words, which only the policy judges."""
    resources: tuple[str, ...] = ()
    """Where the new token is of use, by `resource`; of a type of a plugin's own alone (RFC 8707 §2)."""
    authorization_details: Sequence[Mapping[str, Any]] = ()
    """What it is to allow in detail; of a type of a plugin's own alone (RFC 9396 §2)."""


@runtime_checkable
class RequestedTokenType(Protocol):
    """A type of token that another server takes: it is signed, kept nowhere, and opens nothing here."""

    lifetime: int
    """Seconds that a token counts, if its subject's counts so long."""
    is_grant: bool
    """Whether the other server takes it as a grant, which the metadata tell (draft-ietf-oauth-identity-chaining)."""

    def judge(self, exchange: TokenExchange, request: ExchangeRequest) -> None:
        """Refuse, before the policy is asked, a request that such a token cannot be made for.

        Raises:
            OAuth2Error: such as InvalidTargetError.
        """

    def make(self, exchange: Exchange, request: ExchangeRequest) -> str:
        """Return the token; `exchange.issue` says until when, for which scope, and which key is proven.

        Raises:
            JoseError: it cannot be signed.
        """


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

    def knows_audience(self, client: Application, audience: str) -> bool:
        """Say whether `audience` may name a server that is neither a client nor a resource here; it is asked for these.

        What the client may have there `may_delegate` and `may_impersonate` say, as ever.
        """
        return False

    def may_assert(self, request: ExchangeRequest) -> bool:
        """Say whether the client may have what `request.requested_token_type` names, to show it to another server.

        It is asked instead of the other two, for types that plugins bring. An OAuth2Error that it raises is the answer,
        such as one of `insufficient_user_authentication` (RFC 9470 §3).
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

    @contribution(HookClass.SEES_SECRETS)
    def portula_requested_token_types(self, provider: Provider) -> Mapping[str, RequestedTokenType]:
        """Contribute types of tokens for other servers, by what clients send as `requested_token_type` (RFC 8693 §3).

        The policy decides by `may_assert`, and nothing is stored.

        Example:
            class TeaVoucher:
                lifetime, is_grant = 60, False

                def judge(self, exchange, request):
                    if request.audience != ("https://tea.example/",):
                        raise InvalidTargetError

                def make(self, exchange, request):
                    claims = {"iss": exchange.issuer, "aud": request.audience[0], "sub": exchange.known_as}
                    return exchange.provider.hooks.ask(Plugin.portula_jose).sign(claims, typ="voucher+jwt")

            class Room(Plugin):
                def portula_requested_token_types(self, provider):
                    return {"urn:example:voucher": TeaVoucher()}
        """
        return {}
