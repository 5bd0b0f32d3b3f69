"""Requests that were pushed: kept, found again at the authorization endpoint, used up (RFC 9126 §2.2, §4)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import FatalClientError
from portula.plugin import Artifact, AuthorizationExchange, RequestResolver, is_of_removed_client
from portula_par.settings import ParSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange, Pairs

NAME = "pushed"
KIND = "pushed authorization request"
URN = "urn:ietf:params:oauth:request_uri:"
FOUND = "portula.pushed_request"
"""Stands in `AuthorizationExchange.presented` in place of the `request_uri`, which is not written down while a person
signs in (attack S31): the digest under which the request is kept. From outside it leads to nothing."""


class InvalidRequestReference(FatalClientError):  # type: ignore[misc] # oauthlib has no types
    """A request_uri is unknown, another client's, expired or used: told on a page alone (attacks S02, S68)."""

    error = "invalid_request_uri"
    description = (
        "The request_uri is unknown here, expired, or was used before. Please start again at the app."
    )


@hookimpl
def portula_request_resolvers(provider: Provider) -> list[RequestResolver]:
    """Return the way from a request_uri to what was pushed."""
    if not provider.settings(ParSettings).PAR_ENABLED:
        return []
    return [RequestResolver(name=NAME, presented=_is_presented, resolve=_resolve, consume=_consume)]


def is_pushed(exchange: AuthorizationExchange) -> bool:
    """Say whether an authorization request was pushed, or is being pushed."""
    return exchange.resolver is not None and exchange.resolver.name == NAME


def under(exchange: Exchange, digest: str = "") -> Pairs:
    """Return what a request of this client has in `presented` that is kept under a digest, or is about to be kept."""
    return [("client_id", exchange.client.client_id if exchange.client else ""), (FOUND, digest)]


def keep(exchange: Exchange, pairs: Pairs) -> str:
    """Plan to keep the parameters of a client's request, and return its request_uri.

    They are kept for longer than it may be brought, since its person may take their time.
    """
    provider, name, now = exchange.provider, secrets.token_urlsafe(32), exchange.provider.now()
    loaded_until = now + provider.settings(ParSettings, exchange.client).PAR_REQUEST_URI_LIFETIME_SECONDS
    artifact = Artifact(
        digest=provider.keys.digest(KIND, name),
        kind=KIND,
        payload={"pairs": [list(pair) for pair in pairs], "loaded_until": loaded_until},
        issued_at=now,
        client_id=exchange.client.client_id if exchange.client else None,
        expires_at=loaded_until + 3 * provider.core_settings.INTERACTION_EXPIRE_SECONDS,
    )
    exchange.plan.add(artifact)
    return f"{URN}{name}"


def _is_presented(parameters: Mapping[str, str]) -> bool:
    return FOUND in parameters or parameters.get("request_uri", "").startswith(URN)


def _resolve(exchange: AuthorizationExchange) -> Pairs:
    """Return the parameters that were pushed; what stands beside the request_uri is ignored (RFC 9101 §6.3)."""
    provider = exchange.provider
    name = dict(exchange.presented).get("request_uri", "").removeprefix(URN)
    artifact = _live(exchange, provider.keys.digests(KIND, name))
    if artifact.payload["loaded_until"] <= provider.now():
        raise InvalidRequestReference
    exchange.presented = under(exchange, artifact.digest)
    return [(name, value) for name, value in artifact.payload["pairs"]]


def _consume(exchange: AuthorizationExchange) -> None:
    """Plan that the request is used up by its answer: two tabs get one (RFC 9126 §4, FAPI 2.0 §5.3.2.2)."""
    artifact = _live(exchange, dict(exchange.presented)[FOUND])
    exchange.plan.take(artifact, at=exchange.provider.now())


def _live(exchange: AuthorizationExchange, digest: str | tuple[str, ...]) -> Artifact:
    """Return the request of this client that is kept under a digest, and was not answered yet."""
    artifact = exchange.provider.storage.find(Artifact, digest=digest)
    client = exchange.client
    if artifact is None or artifact.kind != KIND or artifact.taken_at:
        raise InvalidRequestReference
    if (
        client is None
        or artifact.client_id != client.client_id
        or is_of_removed_client(client, artifact.issued_at)
    ):
        raise InvalidRequestReference
    return artifact
