"""The endpoint where requests are pushed (RFC 9126 §2): its steps, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from portula import Plugin, hookimpl
from portula.errors import (
    AuthorizationRefused,
    InvalidRequestError,
    InvalidRequestObject,
    OAuth2Error,
    RequestNotSupported,
    RetryLater,
)
from portula.plugin import (
    Application,
    AuthorizationExchange,
    AuthorizationRequestRefused,
    Endpoint,
    Exchange,
    Pairs,
    client_request_steps,
    json_answer,
    resolve_parameters,
    step,
)
from portula_par.requests import keep, under
from portula_par.settings import ParSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Answer

MAX_BYTES = 31 * 1024
"""Of the parameters of a request: so much can wait for a person to sign in."""


class RequestTooLong(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """A request is too long to be kept: 413 (RFC 9126 §2.3)."""

    status_code = 413


@dataclass(kw_only=True, eq=False)
class PushExchange(Exchange):
    """A request to push an authorization request."""

    pairs: Pairs = field(default_factory=list)
    """The parameters of the authorization request."""


def origin(exchange: PushExchange) -> None:
    """Let a browser page of the client read the answer, a later error too (Fetch standard §3.2)."""
    origin, client = exchange.message.headers.get("origin"), cast("Application", exchange.client)
    if origin is not None and client.origin_allowed(origin):
        exchange.headers["Access-Control-Allow-Origin"] = origin


def form(exchange: PushExchange) -> None:
    """Require the client_id of every plain authorization request, and refuse a request_uri (RFC 9126 §2.1).

    A request object has its own; beside it stands one only where clients authenticate by it (§3).
    """
    if exchange.parameter("client_id") is None and exchange.parameter("request") is None:
        raise InvalidRequestError(description="client_id is missing.")
    if exchange.parameter("request_uri") is not None:
        raise InvalidRequestError(description="A request_uri cannot be pushed.")


def quota(exchange: PushExchange) -> None:
    """Bound what is kept of one request, and of all whose client is known to nobody (RFC 9126 §2.3, attack S68)."""
    size = sum(len(text.encode()) for pair in exchange.parameters for text in pair)
    if size > MAX_BYTES:
        raise RequestTooLong(description=f"The parameters have at most {MAX_BYTES} bytes.")
    client, address = cast("Application", exchange.client), exchange.message.client_address
    try:
        exchange.provider.strangers.admit_of(client, address, size)
    except RetryLater as full:
        raise RetryLater("Too many requests are pushed.", full.retry_after, status=429) from None


def parameters(exchange: PushExchange) -> None:
    """Take the parameters out of a request object, if there is one; all else is ignored then (RFC 9126 §3).

    One of a kind that is not taken, e.g. unsigned, is a fault of the object; the parameter itself is understood.
    """
    pairs, token = exchange.parameters, exchange.parameter("request")
    if token is not None:
        pairs = [("client_id", cast("Application", exchange.client).client_id), ("request", token)]
    about = AuthorizationExchange(
        provider=exchange.provider,
        request=exchange.request,
        issuer=exchange.issuer,
        pairs=pairs,
        presented=pairs,
    )
    try:
        resolve_parameters(about)
    except RequestNotSupported as error:
        if about.resolver is None:
            raise
        raise InvalidRequestObject(description=error.description) from None
    exchange.pairs = about.pairs


def judge(exchange: PushExchange) -> None:
    """Judge the request as the authorization endpoint does, up to where a person takes part (RFC 9126 §2.1, §2.3)."""
    backend = exchange.provider.backend
    backend.validate_authorization_request(exchange.pairs, exchange.issuer, under(exchange))


def write(exchange: PushExchange) -> None:
    """Keep the request, and answer with what leads to it (RFC 9126 §2.2)."""
    lifetime = exchange.provider.settings(ParSettings, exchange.client).PAR_REQUEST_URI_LIFETIME_SECONDS
    members = {"request_uri": keep(exchange, exchange.pairs), "expires_in": lifetime}
    exchange.answer = json_answer(201, members, {"Cache-Control": "no-cache, no-store"})


_STEPS = client_request_steps(
    "par",
    step(origin, reads="client"),
    step(form, reads="request"),
    step(quota, reads="request client"),
    step(parameters, reads="request client", sets="pairs"),
    step(judge, reads="pairs client"),
    step(write, reads="pairs client", sets="plan answer"),
)


def refuse(exchange: Exchange, error: Exception) -> Answer | None:
    """Write a refusal as the token endpoint does, and tell listeners of it (RFC 9126 §2.3)."""
    told = error.error if isinstance(error, AuthorizationRefused) else error
    if isinstance(told, OAuth2Error) and not exchange.is_told:
        event = AuthorizationRequestRefused(
            provider=exchange.provider,
            client_id=exchange.client.client_id if exchange.client else exchange.parameter("client_id"),
            error=told.error or "",
            reason=exchange.reason or told.description or None,
            redirected=True,
        )
        exchange.provider.hooks.tell(Plugin.portula_authorization_request_refused, event)
    return None if _STEPS.refuse is None else cast("Answer | None", _STEPS.refuse(exchange, error))


PAR_STEPS = replace(_STEPS, begin=PushExchange.of, refuse=refuse)


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return the endpoint; what it lacks (a backend) shows at start."""
    if not provider.settings(ParSettings).PAR_ENABLED:
        return []
    _ = provider.backend
    return [Endpoint("par", "par/", ("POST",), cors="client", steps=PAR_STEPS)]
