"""Pushed authorization requests (RFC 9126) by one endpoint and one request resolver."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidRequestError, InvalidRequestURI
from portula.plugin import Artifact, Endpoint, RequestResolver, client_request_steps, json_answer, step

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Exchange, Pairs

URN = "urn:ietf:params:oauth:request_uri:"
KIND = "pushed_authorization_request"
SECONDS = 60


def judge(exchange: Exchange) -> None:
    """Judge the request as the authorization endpoint would, in which request_uri has no place (RFC 9126 §2.1)."""
    if exchange.parameter("request_uri") is not None:
        raise InvalidRequestError(description="request_uri is not pushed.")
    exchange.provider.backend.validate_authorization_request(exchange.parameters, exchange.issuer)


def keep(exchange: Exchange) -> None:
    """Keep it under a name that cannot be guessed (RFC 9126 §2.2)."""
    provider, name = exchange.provider, secrets.token_urlsafe(32)
    artifact = Artifact(
        digest=provider.keys.digest(KIND, name),
        kind=KIND,
        payload={"pairs": [list(pair) for pair in exchange.parameters]},
        issued_at=provider.now(),
        client_id=exchange.client.client_id if exchange.client else None,
        expires_at=provider.now() + SECONDS,
    )
    exchange.plan.add(artifact)
    exchange.answer = json_answer(201, {"request_uri": f"{URN}{name}", "expires_in": SECONDS})


PAR_STEPS = client_request_steps("par", step(judge, reads="client"), step(keep, sets="plan answer"))


@hookimpl
def portula_endpoints(provider: Provider) -> Sequence[Endpoint]:
    return [Endpoint(KIND, "par/", ("POST",), steps=PAR_STEPS)]


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
