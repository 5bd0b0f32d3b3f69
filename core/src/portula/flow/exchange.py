"""One request and what is known of it so far: the value that steps, hooks and a validator's questions are given."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, cast

from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from portula.flow.issue import Issue
from portula.flow.messages import ISSUER, OAuthRequest, fill, parse_form, request_of
from portula.model.http import Answer, Message
from portula.model.plans import Plan
from portula.model.records import AccessToken, Application, Authorization, Grant, RefreshToken

if TYPE_CHECKING:
    from portula.flow.answer_formats import AnswerFormat
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.messages import Pairs
    from portula.flow.presentations import PresentedToken
    from portula.flow.request_resolvers import RequestResolver
    from portula.flow.server import Server
    from portula.model.people import AuthenticatedUser, User
    from portula.model.plans import Counts

ABSENT = Message("", "")

CREDENTIALS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})
"""Parameters by which a client authenticates (RFC 6749 §2.3.1, RFC 7521 §4.2)."""


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
    """The issuer that answers it."""
    client_auth_method: str | None = None
    """Registered name of the method by which the client authenticated; None while it has not."""
    reason: str | None = None
    """Why it is about to be refused, for operators: the client is not told. Whoever refuses sets it."""
    is_told: bool = False
    """Whether an event has told of the refusal."""
    client_secret_hash: str | None = field(default=None, repr=False)
    """Which of the client's stored secrets the one presented is."""
    presented_token: PresentedToken | None = None
    """The access token as the request presented it, once that is read."""
    access_token: AccessToken | None = None
    """The access token that the request presented, once it is found live."""
    code: Grant | None = None
    """The authorization code that the request redeems."""
    refresh_token: RefreshToken | None = None
    """The refresh token record that the request uses."""
    person: User | None = None
    """The person whom the request is about, once they are found active."""
    login: AuthenticatedUser | None = None
    """The person signed in at the browser, where the request came by one and its person decides."""
    authorization: Authorization | None = None
    """What it is done under: the authorization being made, or that of the code or token presented."""
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What rooms want remembered with the authorization, each under its own name."""
    resources: tuple[str, ...] = ()
    """The resources, by URI, that an authorization which begins here is for, and a token too (RFC 8707 §2); empty for
    none in particular."""
    for_another_server: bool = False
    """Whether it asks for a token that another authorization server takes. Scopes, resources and details are then that
    server's words, which nobody judges here, and the token is kept nowhere: it opens nothing here."""
    claims_at_most: Mapping[str, Any] | None = field(default=None, repr=False)
    """Claims of the token or assertion in whose place a token is issued, which may say no more than they do; None where
    a grant of this server is redeemed."""
    issue: Issue | None = None
    """What is to be issued; None until it is shaped, and where nothing is."""
    response: dict[str, Any] = field(default_factory=dict, repr=False)
    """Members or parameters of the answer as far as they are made."""
    headers: dict[str, str] = field(default_factory=dict)
    """Header fields that go with the answer, success and error alike."""
    body: str = field(default="", repr=False)
    """The answer as it is sent."""
    answer_format: AnswerFormat | None = None
    """The form of the answer, once it is chosen; None where the endpoint has one form alone."""
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
        fill(self.request, parse_form(self.message))

    @property
    def realm(self) -> str:
        """The provider's realm (REALM)."""
        return self.provider.realm

    @property
    def client(self) -> Application | None:
        """The client, once it is known."""
        return self.request.client

    @property
    def subject(self) -> str | None:
        """The person's subject; None for a request of the client itself."""
        return self.request.user

    @property
    def known_as(self) -> str:
        """The identifier by which the client knows the person (OpenID Connect Core §8).

        Where there is none it is that of the client in whose name the token is (RFC 9068 §2.2).
        """
        if self.subject is None:
            named = self.authorization or self.client
            return named.client_id if named is not None else ""
        return self.provider.validator.subject_for(self.subject, self.client, self.authorization)

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes that are judged, or granted, each once (RFC 6749 §3.3)."""
        return tuple(dict.fromkeys(self.request.scopes or ()))

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the request; None when it was not sent."""
        return self.request.body.get(name)

    @property
    def parameters(self) -> Pairs:
        """The parameters of the form without the client's credentials, under the `client_id` that they proved."""
        named = [
            (name, value)
            for name, value in self.request.decoded_body or ()
            if name not in CREDENTIALS and name != "client_id"
        ]
        return [("client_id", cast("Application", self.client).client_id), *named]

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter that may stand more than once."""
        return tuple(value for sent, value in self.request.decoded_body or () if sent == name)

    def add_values(self, name: str, values: Iterable[str]) -> None:
        """Let the request name further values of a parameter, for the steps that come."""
        added = [(name, value) for value in values]
        self.request.decoded_body = [*(self.request.decoded_body or ()), *added]

    def apply(self) -> Counts:
        """Apply the plan, whole or not at all, if the client is as it was found (`ClientCache`).

        Raises:
            ClientChanged: it is not; the request is answered anew.
            Exception: what else the plan fails with; see `Storage.apply`.
        """
        return self.provider.client_cache.apply(self.plan, self.client)

    def resume(self, authorization: Authorization) -> None:
        """Go on under an authorization that was granted before."""
        self.authorization, self.resources = authorization, authorization.resources
        self.facts = {name: dict(facts) for name, facts in authorization.facts.items()}

    def begin(self, **facts: Any) -> Authorization:
        """Begin an authorization of the client by the person, and add it to the plan.

        Of a person at the browser it says how they had signed in.

        Args:
            facts: further fields of the authorization.
        """
        client = cast("Application", self.client)
        if self.login is not None:
            self.request.user = self.login.subject
            signed_in = {"sid": self.login.sid, "auth_time": self.login.auth_time, "amr": self.login.amr}
            facts = {**signed_in, **facts}
        self.provider.validator.keep_subject(self)
        self.authorization = Authorization(
            id=secrets.token_hex(16),
            realm=self.realm,
            client_id=client.client_id,
            subject=self.subject or "",
            scope=" ".join(self.scope),
            resources=self.resources,
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
class PageExchange(Exchange):
    """A request that a person decides about at a page, see `portula.plugin.InteractionView`."""

    pairs: Pairs = field(default_factory=list)
    """The parameters of the page, those too that the request names elsewhere: of these the exchange is made anew."""
    presented: Pairs = field(default_factory=list)
    """Parameters as they stand in the request itself; the same as `pairs` unless a resolver found those elsewhere."""
    on_answer: Callable[[Answer], None] | None = None
    """Takes the answer once it is written and before the plan is applied, so that a second click gets it too."""

    @property
    def is_resolved(self) -> bool:
        """Whether the parameters were found elsewhere."""
        return self.pairs is not self.presented

    @classmethod
    def about(
        cls,
        provider: AuthorizationServer,
        client_id: str,
        scope: Iterable[str],
        pairs: Pairs,
        parameters: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Begin an exchange about what a client asked for elsewhere, e.g. of a device, in the current Flask request.

        Args:
            provider: who answers.
            client_id: who asks.
            scope: what it asks for; whoever took the request has judged it.
            pairs: parameters of the page.
            parameters: what the client sent, as far as plugins may read it, e.g. `acr_values`.

        Raises:
            InvalidRequestError: there is no such client any more.
        """
        client = provider.clients.find(client_id)
        if client is None:
            raise InvalidRequestError(description="The app that asks is not known here any more.")
        issuer = provider.current_issuer()
        request = OAuthRequest("", "GET", parameters, {ISSUER: issuer})
        request.client, request.client_id, request.scopes = client, client.client_id, list(scope)
        exchange = cls(provider=provider, request=request, issuer=issuer, pairs=pairs, presented=pairs)
        request.exchange = exchange
        return exchange


@dataclass(kw_only=True, eq=False)
class AuthorizationExchange(PageExchange):
    """A request to the authorization endpoint (RFC 6749 §3.1)."""

    resolver: RequestResolver | None = None
    """By what the parameters came; None where they stand in the request itself."""
    redirect_uri: str | None = None
    """Where the answer goes, once it is known to be the client's; errors before that stay here."""
    response_type: str = ""
    """Its words in order, once it is known."""

    @property
    def words(self) -> list[str]:
        """The words of the response type: `code`, `token`, `id_token`."""
        return self.response_type.split()

    def take_parameters(self, pairs: Pairs) -> None:
        """Let these be the parameters of a request that its client has posted; who the client is stays."""
        former = self.request
        request = OAuthRequest(former.uri, former.http_method, pairs, former.headers)
        request.exchange, request.client, request.client_id = self, former.client, former.client_id
        self.request, self.pairs, self.presented = request, pairs, pairs


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
