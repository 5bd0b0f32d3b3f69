"""One request and what is known of it so far: the value that steps, hooks and a validator's questions are given."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast

from portula.flow.issue import Issue
from portula.flow.messages import parse_form, request_of
from portula.model.http import Answer, Message
from portula.model.plans import Plan
from portula.model.records import AccessToken, Application, Authorization, Grant, RefreshToken

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.messages import OAuthRequest, Pairs
    from portula.flow.request_resolvers import RequestResolver
    from portula.flow.server import Server
    from portula.model.people import Authenticated, User

ABSENT = Message("", "")


@dataclass(kw_only=True, eq=False)
class Exchange:
    """A request to an endpoint, from its first check to its answer.

    The facts that oauthlib's grants and a validator's questions read and set (client, subject, scopes) are kept on the
    request; the properties here are the typed way to them.
    """

    provider: AuthorizationServer
    request: OAuthRequest
    """The request as oauthlib judges it, and as callables of settings are given it."""
    server: Server | None = None
    """Whose generators and lifetimes hold; None under a server class of oauthlib's own."""
    message: Message = ABSENT
    """The whole HTTP request."""
    issuer: str = ""
    """By whose name it is answered."""
    client_auth_method: str | None = None
    """Registered name of the method by which the client authenticated; None while it has not."""
    reason: str | None = None
    """Why it is about to be refused, for operators: the client is not told. Whoever refuses sets it."""
    is_told: bool = False
    """Whether an event has told of the refusal."""
    client_secret_hash: str | None = field(default=None, repr=False)
    """Which of the client's stored secrets the one presented is."""
    access_token: AccessToken | None = None
    """The access token that the request presented, once it is found live."""
    code: Grant | None = None
    """The authorization code that the request redeems."""
    refresh_token: RefreshToken | None = None
    """The refresh token record that the request uses."""
    person: User | None = None
    """The person whom the request is about, once they are found active."""
    authorization: Authorization | None = None
    """What it is done under: the authorization being made, or that of the code or token presented."""
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What rooms want remembered with the authorization, each under its own name."""
    issue: Issue | None = None
    """What is to be issued; None until it is shaped, and where nothing is."""
    response: dict[str, Any] = field(default_factory=dict, repr=False)
    """Members or parameters of the answer as far as they are made."""
    body: str = field(default="", repr=False)
    """The answer as it is sent."""
    answer: Answer | None = None
    """The answer, once it is written."""
    plan: Plan = field(default_factory=Plan)
    """What the answer changes in the storage, applied at once before it is sent."""
    events: list[Any] = field(default_factory=list)
    """What is told once the plan is applied."""
    memo: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)
    """Answers of the validator that are asked for once a request."""

    @classmethod
    def of(cls, provider: AuthorizationServer, message: Message) -> Self:
        """Begin an exchange about a message; nothing of it is read yet."""
        issuer = provider.issuer_of(message)
        request = request_of(message, issuer)
        exchange = cls(provider=provider, request=request, message=message, issuer=issuer)
        request.exchange = exchange
        return exchange

    def read_form(self) -> None:
        """Read the form: UTF-8, no parameter twice, none in both query and body (RFC 6749 §3.2).

        Raises:
            InvalidRequestError: it cannot be read.
        """
        self.request = request_of(self.message, self.issuer, parse_form(self.message))
        self.request.exchange = self

    @property
    def client(self) -> Application | None:
        """The client, once it is known."""
        return self.request.client

    @property
    def subject(self) -> str | None:
        """The person's subject; None for a request of the client itself."""
        return self.request.user

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes that are judged, or granted."""
        return tuple(self.request.scopes or ())

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the request; None when it was not sent."""
        return self.request.body.get(name)

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter that may stand more than once."""
        return tuple(value for sent, value in self.request.decoded_body or () if sent == name)

    def resume(self, authorization: Authorization) -> None:
        """Go on under an authorization that was granted before."""
        self.authorization = authorization
        self.facts = {name: dict(facts) for name, facts in authorization.facts.items()}

    def begin(self, **facts: Any) -> Authorization:
        """Begin an authorization of the client by the person, and add it to the plan.

        Args:
            facts: further fields of the authorization.
        """
        client = cast("Application", self.client)
        self.authorization = Authorization(
            id=secrets.token_hex(16),
            client_id=client.client_id,
            subject=self.subject or "",
            scope=" ".join(self.scope),
            issued_at=self.provider.now(),
            facts=self.facts,
            **facts,
        )
        self.plan.add(self.authorization)
        return self.authorization


@dataclass(kw_only=True, eq=False)
class TokenExchange(Exchange):
    """A request to the token endpoint (RFC 6749 §3.2)."""

    successor: dict[str, Any] | None = field(default=None, repr=False)
    """Token values of a rotation that is answered again within its grace period."""


@dataclass(kw_only=True, eq=False)
class AuthorizationExchange(Exchange):
    """A request to the authorization endpoint (RFC 6749 §3.1)."""

    pairs: Pairs = field(default_factory=list)
    """The parameters, those too that the request names elsewhere."""
    presented: Pairs = field(default_factory=list)
    """Parameters as they stand in the request itself; the same as `pairs` unless a resolver found those elsewhere."""
    resolver: RequestResolver | None = None
    """By what the parameters came; None where they stand in the request itself."""
    redirect_uri: str | None = None
    """Where the answer goes, once it is known to be the client's; errors before that stay here."""
    response_type: str = ""
    """Its words in order, once it is known."""
    login: Authenticated | None = None
    """Who sits at the browser."""

    @property
    def words(self) -> list[str]:
        """The words of the response type: `code`, `token`, `id_token`."""
        return self.response_type.split()


CURRENT: ContextVar[Exchange | None] = ContextVar("portula_exchange", default=None)
"""The exchange that a server class of oauthlib's own works on: it makes requests of its own, which know none."""


def exchange_of(request: Any, provider: AuthorizationServer | None = None) -> Exchange:
    """Return the exchange that a request belongs to; `provider` makes one for a request that belongs to none.

    Raises:
        LookupError: the request belongs to none, and no provider is given.
    """
    exchange: Exchange | None = request.__dict__.get("exchange") or CURRENT.get()
    if exchange is None:
        if provider is None:
            raise LookupError("the request belongs to no exchange")
        exchange = Exchange(provider=provider, request=request)
    if exchange.request is not request:
        exchange.request = request
    request.exchange = exchange
    return exchange
