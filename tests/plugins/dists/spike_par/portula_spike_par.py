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
    Message,
    RequestResolver,
    json_answer,
    parse_form,
    token_error,
)

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Pairs

URN = "urn:ietf:params:oauth:request_uri:"
KIND = "pushed_authorization_request"
SECONDS = 60
CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")


@hookimpl
def portula_endpoints(provider: Provider) -> Sequence[Endpoint]:
    def push(message: Message) -> Answer:
        try:
            pairs = parse_form(message)
            client = provider.backend.authenticate_client(message, pairs).client
            if "request_uri" in dict(pairs):
                raise InvalidRequestError(description="request_uri is not pushed.")
            pushed = [(name, value) for name, value in pairs if name not in CREDENTIALS]
            provider.backend.validate_authorization_request(
                list({**dict(pushed), "client_id": client.client_id}.items()), provider.issuer_of(message)
            )
        except AuthorizationRefused as refused:
            return token_error(refused.error)
        except OAuth2Error as error:
            return token_error(error)
        name, now = secrets.token_urlsafe(32), provider.now()
        artifact = Artifact(
            digest=provider.keys.digest(KIND, name),
            kind=KIND,
            payload={"client_id": client.client_id, "pairs": [list(pair) for pair in pushed]},
            issued_at=now,
            expires_at=now + SECONDS,
        )
        provider.storage.add(artifact)
        return json_answer(201, {"request_uri": f"{URN}{name}", "expires_in": SECONDS})

    return [Endpoint("pushed_authorization_request", "par/", ("POST",), push)]


@hookimpl
def portula_request_resolvers(provider: Provider) -> Sequence[RequestResolver]:
    def presented(parameters: Mapping[str, str]) -> bool:
        return parameters.get("request_uri", "").startswith(URN)

    def found(exchange: AuthorizationExchange) -> Artifact:
        name = dict(exchange.presented)["request_uri"].removeprefix(URN)
        artifact = provider.storage.find(Artifact, digest=provider.keys.digests(KIND, name))
        if artifact is None or exchange.client is None or artifact.taken_at is not None:
            raise InvalidRequestURI(description="There is no such pushed request.")
        if artifact.payload["client_id"] != exchange.client.client_id:
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
