"""Pushed authorization requests (RFC 9126) by one endpoint and one request resolver."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import AuthorizationRefused, InvalidRequestError, InvalidRequestURI, OAuth2Error
from portula.plugin import (
    Answer,
    Artifact,
    Endpoint,
    Exchange,
    RequestResolver,
    Steps,
    added,
    json_answer,
    step,
    token_error,
)

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Pairs

URN = "urn:ietf:params:oauth:request_uri:"
KIND = "pushed_authorization_request"
SECONDS = 60
CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")


def read(exchange: Exchange) -> None:
    """Read the form, in which a request_uri has no place (RFC 9126 §2.1)."""
    exchange.read_form()
    if exchange.parameter("request_uri") is not None:
        raise InvalidRequestError(description="request_uri is not pushed.")


def client(exchange: Exchange) -> None:
    """Authenticate the client as at the token endpoint (RFC 9126 §2)."""
    exchange.provider.backend.authenticate_client(exchange)


def judge(exchange: Exchange) -> None:
    """Judge the request as the authorization endpoint would (RFC 9126 §2.1)."""
    try:
        exchange.provider.backend.validate_authorization_request(pushed(exchange), exchange.issuer)
    except AuthorizationRefused as refused:
        raise refused.error from None


def keep(exchange: Exchange) -> None:
    """Keep it under a name that cannot be guessed (RFC 9126 §2.2)."""
    provider, name = exchange.provider, secrets.token_urlsafe(32)
    artifact = Artifact(
        digest=provider.keys.digest(KIND, name),
        kind=KIND,
        payload={"pairs": [list(pair) for pair in pushed(exchange)]},
        issued_at=provider.now(),
        client_id=exchange.client.client_id if exchange.client else None,
        expires_at=provider.now() + SECONDS,
    )
    provider.storage.apply(added(artifact))
    exchange.answer = json_answer(201, {"request_uri": f"{URN}{name}", "expires_in": SECONDS})


def pushed(exchange: Exchange) -> Pairs:
    named = dict(exchange.request.decoded_body) | {
        "client_id": exchange.client.client_id if exchange.client else ""
    }
    return [(name, value) for name, value in named.items() if name not in CREDENTIALS]


def refuse(exchange: Exchange, error: Exception) -> Answer | None:
    return token_error(error) if isinstance(error, OAuth2Error) else None


PAR_STEPS = Steps(
    "pushed_authorization_request",
    [step(read, sets="request"), step(client, sets="client"), step(judge), step(keep)],
    begin=Exchange.of,
    refuse=refuse,
)


@hookimpl
def portula_endpoints(provider: Provider) -> Sequence[Endpoint]:
    return [Endpoint("pushed_authorization_request", "par/", ("POST",), steps=PAR_STEPS)]


@hookimpl
def portula_request_resolvers(provider: Provider) -> Sequence[RequestResolver]:
    def presented(parameters: Mapping[str, str]) -> bool:
        return parameters.get("request_uri", "").startswith(URN)

    def found(exchange: AuthorizationExchange) -> Artifact:
        name = dict(exchange.presented)["request_uri"].removeprefix(URN)
        artifact = provider.storage.find(Artifact, digest=provider.keys.digests(KIND, name))
        known = artifact is not None and artifact.taken_at is None and exchange.client is not None
        if artifact is None or not known or artifact.client_id != exchange.client.client_id:
            raise InvalidRequestURI(description="There is no such pushed request.")
        return artifact

    def resolve(exchange: AuthorizationExchange) -> Pairs:
        artifact = found(exchange)
        if (artifact.expires_at or 0) <= provider.now():
            raise InvalidRequestURI(description="The pushed request is over.")
        return [(name, value) for name, value in artifact.payload["pairs"]]

    def consume(exchange: AuthorizationExchange) -> None:
        exchange.plan.take(found(exchange), at=provider.now())

    return [RequestResolver(name="pushed", presented=presented, resolve=resolve, consume=consume)]
