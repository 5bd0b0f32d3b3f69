"""The introspection endpoint (RFC 7662 §2): its steps, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from portula import Plugin
from portula.errors import (
    InsufficientScopeError,
    InvalidClientError,
    InvalidRequestError,
    InvalidTokenError,
    OAuth2Error,
)
from portula.plugin import (
    AccessToken,
    Answer,
    Application,
    Authorization,
    Endpoint,
    Exchange,
    IntrospectionResponse,
    LiveToken,
    RefreshToken,
    Steps,
    answer_format,
    step,
    token_error,
)
from portula_introspection.settings import IntrospectionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AnswerFormat, AuthorizationServer

SCOPE = "introspection"
"""What an access token needs to ask about other tokens."""


@dataclass(kw_only=True, eq=False)
class IntrospectionExchange(Exchange):
    """A request to the introspection endpoint. Its client is the caller, its access token what the caller came with."""

    live: LiveToken[AccessToken] | LiveToken[RefreshToken] | None = None
    """The token that is asked about; None for one that does not count, or that the caller may not see."""


# --- Who asks, and about what ---


def read(exchange: IntrospectionExchange) -> None:
    """Read the form: UTF-8, no parameter twice, none in both query and body (RFC 7662 §2.1)."""
    exchange.read_form()


def bearer(exchange: IntrospectionExchange) -> None:
    """Know the caller by an access token with the scope `introspection`, if it comes with one (RFC 7662 §2.1)."""
    provider = exchange.provider
    presentations = provider.token_presentations
    exchange.presented_token = presentations.read(exchange.message, headers=exchange.headers)
    if exchange.presented_token is None:
        return
    if any(method.presented(exchange.request) for method in provider.client_auth_methods.values()):
        raise InvalidRequestError(description="Client credentials stand beside an access token.")
    allowed = provider.backend.verify_request(exchange, [SCOPE])
    if exchange.access_token is None:
        raise InvalidTokenError
    if not allowed:
        raise InsufficientScopeError


def client(exchange: IntrospectionExchange) -> None:
    """Authenticate the caller as a client, unless an access token says who it is (RFC 7662 §2.1)."""
    if exchange.access_token is None:
        exchange.provider.backend.authenticate_client(exchange, from_cache=True)


def confidential(exchange: IntrospectionExchange) -> None:
    """Refuse public clients: they prove nothing, so they may not ask (attack S53)."""
    if exchange.client is not None and exchange.client.client_type == "confidential":
        return
    if exchange.access_token is not None:
        raise InsufficientScopeError
    raise InvalidClientError(description="A confidential client is needed.")


def token_parameter(exchange: IntrospectionExchange) -> None:
    """Require a token to be asked about (RFC 7662 §2.1)."""
    if exchange.parameter("token") is None:
        raise InvalidRequestError(description="token is missing.")


def form(exchange: IntrospectionExchange) -> None:
    """Choose the form of the answer: JSON, or another that a plugin writes and the request accepts (RFC 7662 §2.2)."""
    exchange.answer_format = answer_format(exchange, INTROSPECTION_STEPS.endpoint)


# --- What it is told ---


def live(exchange: IntrospectionExchange) -> None:
    """Find the token if it counts now; the hint only says where to look first (RFC 7662 §2.1)."""
    validator, value = exchange.provider.validator, exchange.parameter("token") or ""

    def access_token() -> LiveToken[AccessToken] | None:
        return validator.find_live_access_token(value, exchange.client)

    def refresh_token() -> LiveToken[RefreshToken] | None:
        exchange.provider.client_cache.confirm(exchange.client)
        return validator.find_live_refresh_token(value, exchange.client)

    if exchange.parameter("token_type_hint") == "refresh_token":
        exchange.live = refresh_token() or access_token()
    else:
        exchange.live = access_token() or refresh_token()


def visibility(exchange: IntrospectionExchange) -> None:
    """Hide a token that the caller may not see; it is answered like one that does not exist (attack S60).

    A refresh token is shown to its own client: no other has business with it. So is any token without an audience where
    the caller registered itself, unless an operator gave it the scope: nobody else knows what it is (RFC 7662 §4).
    """
    if exchange.live is None:
        return
    token, caller = exchange.live.token, cast("Application", exchange.client)
    audience = _audience(token)
    own_only = (
        isinstance(token, RefreshToken)
        or exchange.provider.settings(IntrospectionSettings).INTROSPECTION_SAME_CLIENT_ONLY
        or (caller.is_self_registered and not (caller.scope is None or SCOPE in caller.scope.split()))
    )
    if audience:
        hidden = _names(exchange.provider, caller).isdisjoint(audience)
    else:
        hidden = own_only and caller.client_id != token.client_id
    if hidden:
        exchange.live = None


def facts(exchange: IntrospectionExchange) -> None:
    """Say what the token allows; of one that is not live, only that (RFC 7662 §2.2)."""
    if exchange.live is None:
        exchange.response = {"active": False}
        return
    token, user = exchange.live.token, exchange.live.user
    validator, client = exchange.provider.validator, exchange.live.client
    named = user is not None and validator.tells_username(token.scope.split(), client)
    under = exchange.live.authorization
    members: dict[str, Any] = {
        "scope": token.scope,
        "client_id": token.client_id,
        "username": user.username if user and named else None,
        "exp": token.expires_at,
        "iat": token.issued_at,
        "sub": validator.subject_for(token.subject, client, under) if token.subject else _client_of(under),
        "aud": _audience(token),
        "iss": exchange.issuer,
        **_kind(exchange.provider, token),
    }
    exchange.response = {"active": True, **{name: value for name, value in members.items() if value}}


def enrich(exchange: IntrospectionExchange) -> None:
    """Let plugins add members about an access token; those that stand already stay as they are."""
    live = exchange.live
    if live is not None and isinstance(live.token, AccessToken):
        answer = IntrospectionResponse(
            provider=exchange.provider,
            token=live.token,
            authorization=live.authorization,
            response=exchange.response,
            names=_names(exchange.provider, cast("Application", exchange.client)),
        )
        exchange.response = exchange.provider.hooks.enrich(Plugin.portula_introspection_response, answer)


def write(exchange: IntrospectionExchange) -> None:
    """Write the answer in its form, never to be cached (RFC 7662 §2.2)."""
    exchange.answer = cast("AnswerFormat", exchange.answer_format).write(exchange)


def refuse(exchange: IntrospectionExchange, error: Exception) -> Answer | None:
    """Write a refusal: of an access token as RFC 6750 §3 says, any other as RFC 6749 §5.2 does (RFC 7662 §2.3)."""
    if not isinstance(error, OAuth2Error):
        return None
    presented = exchange.presented_token
    of_token = isinstance(error, (InvalidTokenError, InsufficientScopeError))
    if of_token or (presented is not None and error.status_code == 401):
        return exchange.provider.token_presentations.refusal(error, presented, parameters={"scope": SCOPE})
    return token_error(error)


INTROSPECTION_STEPS = Steps(
    "introspect",
    [
        step(read, sets="request"),
        step(bearer, reads="request", sets="access_token"),
        step(client, reads="request access_token", sets="client client_auth_method"),
        step(confidential, reads="client access_token"),
        step(token_parameter, reads="request client"),
        step(form, reads="client", sets="answer_format"),
        step(live, reads="request client", sets="live"),
        step(visibility, reads="live client"),
        step(facts, reads="live", sets="response"),
        step(enrich, reads="live response"),
        step(write, reads="response answer_format", sets="answer"),
    ],
    begin=IntrospectionExchange.of,
    refuse=refuse,
)


def make(provider: Provider) -> Endpoint:
    """Return the endpoint; what it lacks (a backend) shows at start."""
    _ = provider.backend
    return Endpoint("introspect", "introspect/", ("POST",), steps=INTROSPECTION_STEPS)


def _client_of(under: Authorization | None) -> str | None:
    """Return the client in whose name another has a token; None for a token of a client itself, or under a person."""
    return under.client_id if under is not None and not under.subject else None


def _kind(provider: AuthorizationServer, token: AccessToken | RefreshToken) -> dict[str, Any]:
    """Return how a token has to be presented, and what it is bound to (RFC 7662 §2.2, RFC 7800 §3.1)."""
    if isinstance(token, RefreshToken):  # no token_type fits; a resource never takes it for an access token
        return {"token_use": "refresh_token"}
    bound = token.confirmation
    return {"token_type": provider.token_presentations.token_type(bound), "cnf": bound}


def _names(provider: AuthorizationServer, caller: Application) -> frozenset[str]:
    """Return the names by which tokens are for a client."""
    return frozenset({caller.client_id, *provider.audiences.get(caller.client_id, ())})


def _audience(token: AccessToken | RefreshToken) -> list[str]:
    """Return whom the token is for; empty for anybody."""
    return list(token.audience) if isinstance(token, AccessToken) else []
